import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { MyposSettings } from './mypos/mypos.settings';
import { OneSingleViewSettings } from './onesingleview/onesingleview.settings';
import type { ProviderSettings } from './provider-settings';

function faults(settingsClass: new () => ProviderSettings, given: object): string[] {
  const settings = plainToInstance(settingsClass, given);
  return validateSync(settings, { whitelist: true, forbidNonWhitelisted: true }).map(({ property }) => property);
}

const REQUIRED = { merchantId: 'APIS-300505', creditLine: 'own-funds' };

describe('settings', () => {
  it('of myPOS may all be left out', () => {
    expect(faults(MyposSettings, {})).toEqual([]);
    expect(plainToInstance(MyposSettings, {})).toMatchObject({
      balanceTypes: [{ type: 'available', code: 'STATEMENT_BALANCE' }],
      timeoutMs: 10_000,
      accessScope: 'account',
      accessWindow: 'rolling-24h',
      sendConsentId: true,
      balancePath: '/v1/accounts/{accountNumber}/balances',
    });
  });

  it('of OneSingleView need the merchant and a policy for credit lines, and nothing else', () => {
    expect(faults(OneSingleViewSettings, {}).sort()).toEqual(['creditLine', 'merchantId']);
    expect(faults(OneSingleViewSettings, REQUIRED)).toEqual([]);
    expect(plainToInstance(OneSingleViewSettings, REQUIRED)).toMatchObject({
      creditLineAmount: 'available',
      grantType: 'client_credentials',
      headerSet: 'four',
      envelopeSpelling: 'sample',
      typePrefix: 'KSAOB.',
      banksPerCall: 1,
    });
  });

  it('keep the order of the balance types', () => {
    const types = plainToInstance(OneSingleViewSettings, REQUIRED).balanceTypes.map(({ type }) => type);
    expect(types).toEqual(['ClosingBooked', 'InterimBooked', 'ClosingAvailable', 'InterimAvailable']);
  });

  it.each([
    ['an unknown setting', { colour: 'red' }, 'colour'],
    ['an empty list of types', { balanceTypes: [] }, 'balanceTypes'],
    ['types that are no list', { balanceTypes: { type: 'a', code: 'b' } }, 'balanceTypes'],
    ['a type without a code', { balanceTypes: [{ type: 'a' }] }, 'balanceTypes'],
    ['an unknown word in a type', { balanceTypes: [{ type: 'a', code: 'b', rank: 1 }] }, 'balanceTypes'],
    ['a type named twice, whatever its case', { balanceTypes: [entry('a'), entry('A')] }, 'balanceTypes'],
    ['a type with a blank around it', { balanceTypes: [entry(' a')] }, 'balanceTypes'],
    ['a code with a blank around it', { balanceTypes: [{ type: 'a', code: 'b ' }] }, 'balanceTypes'],
    ['a list among the types', { balanceTypes: [entry('a'), [entry('b')]] }, 'balanceTypes'],
    ['an empty list among the types', { balanceTypes: [[]] }, 'balanceTypes'],
    ['null in the types', { balanceTypes: [null] }, 'balanceTypes'],
    ['a zone that is an offset', { timeZone: '+03:00' }, 'timeZone'],
    ['a zone that does not exist', { timeZone: 'Asia/Riadh' }, 'timeZone'],
    ['a zone that is null', { timeZone: null }, 'timeZone'],
    ['no calls per second', { requestsPerSecond: 0 }, 'requestsPerSecond'],
    ['calls per second as a text', { requestsPerSecond: '5' }, 'requestsPerSecond'],
    ['a time-out of 99 ms', { timeoutMs: 99 }, 'timeoutMs'],
    ['a time-out over two minutes', { timeoutMs: 120_001 }, 'timeoutMs'],
    ['another access scope', { accessScope: 'bank' }, 'accessScope'],
    ['another window', { accessWindow: 'week' }, 'accessWindow'],
    ['a path without the account', { balancePath: '/v1/balances' }, 'balancePath'],
    ['a path that climbs', { balancePath: '/v1/../{accountNumber}' }, 'balancePath'],
    ['a path with a query', { balancePath: '/v1/{accountNumber}?a=b' }, 'balancePath'],
  ])('refuse %s', (_what, given, property) => {
    expect(faults(MyposSettings, given)).toEqual([property]);
  });

  it.each([
    ['timeoutMs', '10', 'a whole number of milliseconds from 100 to 120000'],
    ['timeoutMs', 100.5, 'a whole number of milliseconds from 100 to 120000'],
    ['requestsPerSecond', Number.NaN, 'a number of calls per second from 0.001 to 10000'],
    ['breakerSeconds', Infinity, 'a whole number of seconds from 1 to 3600'],
    ['suspendAfterFailures', 3, 'a whole number of failures from 4 to 100000'],
  ])('refuse %s %p with one message that names bounds and unit', (name, value, expected) => {
    const settings = plainToInstance(MyposSettings, { [name]: value });
    const messages = validateSync(settings).flatMap(({ constraints }) => Object.values(constraints ?? {}));
    expect(messages).toEqual([`${name} must be ${expected}`]);
  });

  it('take the bounds themselves, and parts of a call per second', () => {
    const least = { requestsPerSecond: 0.5, timeoutMs: 100, breakerSeconds: 1, suspendAfterFailures: 4 };
    const most = {
      requestsPerSecond: 10_000,
      timeoutMs: 120_000,
      breakerSeconds: 3_600,
      suspendAfterFailures: 100_000,
    };
    for (const given of [least, most]) expect(faults(MyposSettings, given)).toEqual([]);
  });

  it.each([
    ['another grant', { grantType: 'authorization_code' }, 'grantType'],
    ['several banks per call', { banksPerCall: 2 }, 'banksPerCall'],
    ['a signature scheme, for there is one only', { signatureScheme: 'sha256-suffix' }, 'signatureScheme'],
    ['another policy for credit lines', { creditLine: 'ignore' }, 'creditLine'],
    ['three headers', { headerSet: 'three' }, 'headerSet'],
    ['an empty merchant', { merchantId: '' }, 'merchantId'],
    ['a type with the prefix and without', { balanceTypes: [entry('KSAOB.Booked'), entry('booked')] }, 'balanceTypes'],
    [
      'a type with and without another prefix',
      { typePrefix: 'X.', balanceTypes: [entry('x.a'), entry('A')] },
      'balanceTypes',
    ],
  ])('of OneSingleView refuse %s', (_what, given, property) => {
    expect(faults(OneSingleViewSettings, { ...REQUIRED, ...given })).toEqual([property]);
  });

  it('of OneSingleView take the prefix of another vocabulary as a part of the type', () => {
    const given = { ...REQUIRED, typePrefix: 'X.', balanceTypes: [entry('KSAOB.Booked'), entry('Booked')] };
    expect(faults(OneSingleViewSettings, given)).toEqual([]);
  });

  it.each(['client_credentials', 'client_Credentials', 'Client_Credentials'])('take the grant as %s', (grantType) => {
    expect(faults(OneSingleViewSettings, { ...REQUIRED, grantType })).toEqual([]);
  });

  it.each(['Asia/Riyadh', 'Europe/Sofia', 'UTC', 'Etc/GMT+3', 'America/Argentina/Buenos_Aires'])(
    'take the zone %s',
    (timeZone) => {
      expect(faults(MyposSettings, { timeZone })).toEqual([]);
    },
  );
});

function entry(type: string): { type: string; code: string } {
  return { type, code: 'STATEMENT_BALANCE' };
}

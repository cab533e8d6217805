import fc from 'fast-check';
import { type AccountBalance, buildAccountBalanceRecord, checkRecord } from './account-balance-record';

const balance = (changes: Partial<AccountBalance> = {}): AccountBalance => ({
  communicationNumber: 'obg-k3f9-b-20260310-00',
  requester: 'open-banking-gateway',
  balanceType: 'STATEMENT_BALANCE',
  accountExtId: 'ORG20231117550',
  balanceAt: '2026-03-10T10:40:00.000Z',
  value: '7896.21',
  ...changes,
});

describe('buildAccountBalanceRecord', () => {
  it('writes the mandatory fields, the value as a number, and nothing else', () => {
    expect(buildAccountBalanceRecord(balance())).toBe(
      '{"communicationNumber":"obg-k3f9-b-20260310-00","requester":"open-banking-gateway",' +
        '"balanceType":"STATEMENT_BALANCE","accountExtId":"ORG20231117550",' +
        '"balanceAt":"2026-03-10T10:40:00.000Z","value":7896.21}',
    );
  });

  it('writes businessUnit and equivalentValue only where they are given', () => {
    const record = buildAccountBalanceRecord(balance({ businessUnit: 'sandbox', equivalentValue: '-12.50' }));
    expect(JSON.parse(record)).toMatchObject({ businessUnit: 'sandbox', equivalentValue: -12.5 });
    expect(record).toContain('"value":7896.21,"equivalentValue":-12.50}');
    const without = buildAccountBalanceRecord(balance({ businessUnit: undefined, equivalentValue: undefined }));
    expect(Object.keys(JSON.parse(without) as object)).toHaveLength(6);
  });

  it.each(['0', '0.00', '4.200', '-0.01', '123456789012345678.1234567890', '-999999999999999999'])(
    'writes %s with exactly these digits',
    (value) => {
      expect(buildAccountBalanceRecord(balance({ value }))).toContain(`"value":${value}}`);
    },
  );

  it.each(['1e3', '-0', '-0.00', '007', '+1', '1.', '.5', '', 'NaN', 'null', '"1"', ' 1', '1,"value":2', '1,"x":2'])(
    'throws for the value %s',
    (value) => {
      expect(() => buildAccountBalanceRecord(balance({ value }))).toThrow();
      expect(() => buildAccountBalanceRecord(balance({ equivalentValue: value }))).toThrow();
    },
  );

  it('gives every text back to a JSON reader as it went in, whatever quotes and brackets it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }), (text) => {
        fc.pre(!text.includes('\0'));
        const record = buildAccountBalanceRecord(balance({ accountExtId: text, businessUnit: text, requester: text }));
        expect(JSON.parse(record)).toMatchObject({ accountExtId: text, businessUnit: text, requester: text });
      }),
    );
  });

  it.each<[string, Partial<AccountBalance>]>([
    ['an empty businessUnit, which must be an absent key', { businessUnit: '' }],
    ['an empty accountExtId', { accountExtId: '' }],
    ['an accountExtId of 256 characters', { accountExtId: 'a'.repeat(256) }],
    ['a communicationNumber of 256 characters', { communicationNumber: 'a'.repeat(256) }],
    ['a requester of 101 characters', { requester: 'a'.repeat(101) }],
    ['half a surrogate pair, which UTF-8 cannot carry', { accountExtId: '\ud800' }],
    ['a time that is not UTC with milliseconds', { balanceAt: '2026-03-10T10:40:00Z' }],
    ['a time with an offset', { balanceAt: '2026-03-10T10:40:00.000+01:00' }],
  ])('throws for %s', (_title, changes) => {
    expect(() => buildAccountBalanceRecord(balance(changes))).toThrow();
  });
});

describe('checkRecord', () => {
  const record = buildAccountBalanceRecord(balance());

  it('accepts the text that was built, with space between its members too', () => {
    expect(() => checkRecord(record, balance())).not.toThrow();
    expect(() => checkRecord(record.replaceAll(',', ', '), balance())).not.toThrow();
  });

  it.each([
    ['another digit', record.replace('7896.21', '7896.22')],
    ['another scale of the same number', record.replace('7896.21', '7896.210')],
    ['the value as a text', record.replace('7896.21', '"7896.21"')],
    ['another text', record.replace('ORG', 'org')],
    ['a field that is missing', record.replace('"requester":"open-banking-gateway",', '')],
    ['a field in the place of another', record.replace('"requester"', '"sender"')],
    ['a field too many', record.replace('}', ',"note":null}')],
    ['a field twice', record.replace('}', ',"value":7896.21}')],
    ['a list around it', `[${record}]`],
    ['half of it', record.slice(0, 60)],
  ])('throws for %s', (_title, tampered) => {
    expect(() => checkRecord(tampered, balance())).toThrow();
  });
});

import { randomBytes, randomUUID } from 'node:crypto';
import { CONNECTION_VERSION } from '../../../src/providers/connection-version';
import { MyposProvider } from '../../../src/providers/mypos/mypos.provider';
import { MyposSettings } from '../../../src/providers/mypos/mypos.settings';
import { OneSingleViewProvider } from '../../../src/providers/onesingleview/onesingleview.provider';
import { OneSingleViewSettings } from '../../../src/providers/onesingleview/onesingleview.settings';
import type { BalanceQuestion, FetchResult, ProviderConnection } from '../../../src/providers/provider';
import { ProviderTokens } from '../../../src/providers/provider-tokens';
import { HttpClient } from '../../../src/shared/http-client';
import { SecretBox } from '../../../src/shared/secret-box';
import { SANDBOX_MYPOS, SANDBOX_ONESINGLEVIEW, SimulatorControl } from '../../../src/simulators';
import { startMyposSimulator, startOneSingleViewSimulator } from '../../../src/simulators';
import type { RunningSimulator } from '../../../src/simulators';
import { createTestDatabase } from '../../support/postgres';
import type { TestDatabase } from '../../support/postgres';

const http = new HttpClient({ allowPrivateAddresses: true });
let bank: RunningSimulator;
afterAll(async () => {
  await http.close();
});
afterEach(() => bank.close());

function outcomeOf(result: FetchResult): string {
  return result.kind === 'answered' ? 'answered' : `${result.outcome} ${result.stops}`;
}

describe('the myPOS simulator, which checks what the real one demands,', () => {
  const provider = new MyposProvider(http);
  let connection: ProviderConnection<MyposSettings>;
  const { accessToken, consentId, apiKey } = SANDBOX_MYPOS;

  beforeEach(async () => {
    bank = await startMyposSimulator();
    await new SimulatorControl(bank.url).putAccounts([
      { accountNumber: '50044620073', balances: [{ amount: '4.200', currency: 'PLN' }] },
    ]);
    const settings = new MyposSettings();
    connection = {
      id: '1',
      version: '1',
      name: 'myPOS',
      baseUrl: bank.url,
      settings,
      secrets: { apiKey },
      timeoutMs: 2000,
    };
  });

  function question(overrides: Partial<BalanceQuestion> = {}): BalanceQuestion {
    const asked = { bankCode: '', providerAccountId: '50044620073', consentId, accessToken };
    return { requestId: randomUUID(), ...asked, ...overrides };
  }

  it('is content with our requests, and its answer parses', async () => {
    const result = await provider.fetchBalances(connection, question());
    expect(outcomeOf(result)).toBe('answered');
    const parsed = result.kind === 'answered' && provider.toBalances(result.body, question());
    expect(parsed).toMatchObject({ kind: 'parsed', reported: [{ type: 'available', currency: 'PLN' }] });
  });

  it.each<[string, Partial<BalanceQuestion>, string]>([
    ['an unknown token', { accessToken: 'another' }, 'TOKEN_REJECTED consent'],
    ['an unknown consent', { consentId: randomUUID() }, 'CONSENT_REQUIRED consent'],
    ['an unknown account', { providerAccountId: '1' }, 'ACCOUNT_UNKNOWN nothing'],
  ])('has its refusal of %s understood', async (_what, overrides, expected) => {
    expect(outcomeOf(await provider.fetchBalances(connection, question(overrides)))).toBe(expected);
  });

  it('has its refusal of the API key understood, in a read and in a check', async () => {
    expect(await provider.check(connection)).toMatchObject({ ok: true });
    const wrong = { ...connection, secrets: { apiKey: 'another' } };
    expect(outcomeOf(await provider.fetchBalances(wrong, question()))).toBe('CERTIFICATE_PROBLEM connection');
    expect(await provider.check(wrong)).toMatchObject({ ok: false });
  });
});

describe('the OneSingleView simulator, which checks signatures with code of its own,', () => {
  const { clientId, clientCode, signatureKey, merchantId, bankCode, consentId } = SANDBOX_ONESINGLEVIEW;
  const secrets = { clientId, clientCode, signatureKey };
  let test: TestDatabase;
  let provider: OneSingleViewProvider;
  let connection: ProviderConnection<OneSingleViewSettings>;

  beforeAll(async () => {
    test = await createTestDatabase();
  });

  afterAll(async () => {
    await test.drop();
  });

  beforeEach(async () => {
    bank = await startOneSingleViewSimulator();
    const balance = {
      amount: '7896.21',
      currency: 'SAR',
      type: 'KSAOB.ClosingBooked',
      dateTime: '2024-12-31T07:40:00Z',
    };
    await new SimulatorControl(bank.url).putAccounts([{ bankCode, accountId: '1002', balances: [balance] }]);
    const [row] = await test.database.query<{ id: string; version: string }>(
      `insert into connection (name, provider, base_url) values ($1, 'onesingleview', $2) returning id, ${CONNECTION_VERSION} as version`,
      [randomUUID(), bank.url],
    );
    const box = new SecretBox([{ id: 'k1', key: randomBytes(32) }]);
    const times = { leaseSeconds: 5, pollIntervalMs: 10 };
    provider = new OneSingleViewProvider(http, new ProviderTokens(test.database, box, times));
    const settings = Object.assign(new OneSingleViewSettings(), { merchantId, creditLine: 'own-funds' });
    connection = {
      id: row?.id ?? '',
      version: row?.version ?? '',
      name: 'OSV',
      baseUrl: bank.url,
      settings,
      secrets,
      timeoutMs: 2000,
    };
  });

  function question(overrides: Partial<BalanceQuestion> = {}): BalanceQuestion {
    return { requestId: randomUUID(), bankCode, providerAccountId: '1002', consentId, ...overrides };
  }

  it('is content with our requests, and its answer parses', async () => {
    const result = await provider.fetchBalances(connection, question());
    expect(outcomeOf(result)).toBe('answered');
    const parsed = result.kind === 'answered' && provider.toBalances(result.body, question());
    expect(parsed).toMatchObject({ kind: 'parsed', reported: [{ type: 'KSAOB.ClosingBooked', amount: '7896.21' }] });
  });

  it.each<[string, Partial<BalanceQuestion>, string]>([
    ['an unknown consent', { consentId: 'urn:SVMB01:kac-0' }, 'CONSENT_REQUIRED consent'],
    ['an unknown account', { providerAccountId: '1' }, 'ACCOUNT_UNKNOWN nothing'],
    ['an unknown bank', { bankCode: 'RIYADH' }, 'BANK_ERROR nothing'],
  ])('has its refusal of %s understood', async (_what, overrides, expected) => {
    expect(outcomeOf(await provider.fetchBalances(connection, question(overrides)))).toBe(expected);
  });

  it('gets a new token after it has withdrawn all of them', async () => {
    await provider.fetchBalances(connection, question());
    await new SimulatorControl(bank.url).call('DELETE', 'tokens');
    const refused = await provider.fetchBalances(connection, question());
    expect(refused).toMatchObject({ outcome: 'TOKEN_REJECTED', retry: 'renew-token' });
    expect(outcomeOf(await provider.fetchBalances(connection, question()))).toBe('answered');
  });

  it('has its refusal of the signature understood before any balance is asked for', async () => {
    expect(await provider.check(connection)).toMatchObject({ ok: true });
    const wrong = { ...connection, secrets: { ...secrets, signatureKey: 'another' } };
    const result = await provider.fetchBalances(wrong, question());
    expect(outcomeOf(result)).toBe('CERTIFICATE_PROBLEM connection');
    expect(result).toMatchObject({ bytesMayHaveLeft: false });
    expect(await provider.check(wrong)).toMatchObject({ ok: false });
  });
});

import { randomUUID } from 'node:crypto';
import { SANDBOX_MYPOS } from '../../src/simulators';
import { SyncWorker } from '../../src/sync/sync.worker';
import { bankServers, type BankServer } from '../support/bank-server';
import { registerAccount } from '../support/bank-accounts';
import { eventually } from '../support/eventually';
import { Outside, registerMypos, TestGateway } from '../support/gateway';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

const ACCOUNTS = 200;
const QUICK = 60;
const LEASE_SECONDS = 2;

/** A bank that answers quickly for a while, so that reads are claimed ahead of the calls, and then changes. */
describe('reads that are claimed ahead of their calls', () => {
  const startBank = bankServers();
  let testDatabase: TestDatabase;
  let outside: Outside;
  let gateway: TestGateway;
  let bank: BankServer;
  /** So many answers are quick. */
  let quick: number;
  let connectionId: string;
  let consentId: string;
  let afterQuick: () => Promise<{ status: number; body?: string }>;

  beforeEach(async () => {
    quick = QUICK;
    testDatabase = await createTestDatabase();
    outside = await Outside.start();
    const limits = { SYNC_CONCURRENCY: '2', LEASE_SECONDS: String(LEASE_SECONDS) };
    gateway = await TestGateway.start(testDatabase, outside, limits);
    hold(Infinity);
    bank = await startBank(async (_request, number) => {
      if (number > quick) return afterQuick();
      return { body: JSON.stringify([{ amount: '1.00', currency: 'EUR', balanceType: 'available' }]) };
    });
    await register();
  }, 60_000);

  afterEach(async () => {
    await gateway.close();
    await outside.close();
    await testDatabase.drop();
  });

  async function register(): Promise<void> {
    ({ connectionId, consentId } = await registerMypos(
      gateway,
      { mypos: bank },
      { timeoutMs: 60_000, breakerFailures: 2 },
    ));
    await addAccounts(consentId, ACCOUNTS);
  }

  /** A second consent at the same bank, with so many accounts; its id. */
  async function addConsent(fields: object, accounts: number): Promise<string> {
    const { accessToken } = SANDBOX_MYPOS;
    const { id } = await gateway.ok('POST', '/admin/consents', { connectionId, accessToken, ...fields });
    await addAccounts(id, accounts);
    return id;
  }

  async function addAccounts(ofConsent: string, accounts: number): Promise<void> {
    for (let n = 0; n < accounts; n += 1) await registerAccount(gateway, ofConsent);
  }

  /** How long a read may wait for its place before it is decided anew. */
  const hold = (ms: number): void => void (gateway.app.get(SyncWorker).decisionHoldsMs = ms);
  const count = async (sql: string): Promise<number> =>
    (await testDatabase.database.query<{ n: number }>(`select count(*)::int as n from ${sql}`))[0]?.n ?? -1;
  /** Begins a run; from now on the quick answers are given, and two calls wait for theirs. */
  async function fillPlaces(): Promise<void> {
    await gateway.ok('POST', '/admin/resync', { all: true });
    await eventually('both places are taken', async () => bank.requests.length === QUICK + 2);
  }
  const claimed = (): Promise<number> => count('access_subject where claimed_by is not null');

  it('are given back when the bank falls silent: its calls fail, the rest is due again and its budget untouched', async () => {
    const down = Promise.withResolvers<{ status: number }>();
    afterQuick = () => down.promise;
    await fillPlaces();
    // Without reads ahead this test would say nothing. The last of them may be being claimed at this moment.
    await eventually('reads are claimed ahead', async () => (await claimed()) > 2 + 2);
    down.resolve({ status: 503 });
    await eventually(
      'the breaker is open',
      async () => (await count('connection_health where open_until is not null')) === 1,
    );
    await eventually('no claim is left', async () => (await claimed()) === 0);
    // Two were under way; a place that got free may have been taken again before the second failure was known.
    expect(bank.requests.length).toBeLessThanOrEqual(QUICK + 2 + 2);
    expect(await count('access_ledger')).toBe(bank.requests.length);
    expect(await count('waiting_account')).toBe(ACCOUNTS - QUICK);
  }, 60_000);

  it('are decided anew after a second in the line: a consent that has ended meanwhile is not used, and its budget untouched', async () => {
    const hanging = Promise.withResolvers<{ status: number }>();
    afterQuick = () => hanging.promise;
    await fillPlaces();
    await eventually('reads are claimed ahead', async () => (await claimed()) > 2 + 2);
    await gateway.ok('PATCH', `/admin/consents/${consentId}`, { status: 'terminatedByTpp', reason: 'test' });
    hold(1_000);
    await eventually('only the calls under way are held', async () => (await claimed()) === 2);
    expect(await count('access_ledger')).toBe(QUICK + 2);
    hanging.resolve({ status: 404 });
    await eventually('the run is over', async () => (await count('sync_run where finished_at is not null')) === 1);
    expect(bank.requests.length).toBe(QUICK + 2);
    expect(await count(`balance_reading where outcome = 'CONSENT_REQUIRED'`)).toBe(ACCOUNTS - QUICK - 2);
  }, 60_000);

  it('are as many as the bank answers, however many reads were decided without asking it', async () => {
    quick = 0;
    const ended = await addConsent({ consentId: randomUUID(), validUntil: '2020-01-01T00:00:00Z' }, ACCOUNTS);
    const hanging = Promise.withResolvers<{ status: number }>();
    afterQuick = () => hanging.promise;
    await gateway.ok('POST', '/admin/resync', { consentId: ended });
    await eventually(
      'they are decided',
      async () => (await count(`balance_reading where outcome = 'CONSENT_REQUIRED'`)) === ACCOUNTS,
    );
    await gateway.ok('POST', '/admin/resync', { consentId });
    await eventually('both places are taken', async () => bank.requests.length === 2);
    expect(await claimed()).toBeLessThanOrEqual(2 + 2);
    hanging.resolve({ status: 404 });
  }, 60_000);

  it('are not made by a replica that lost the claim while they waited for a place', async () => {
    const hanging = Promise.withResolvers<{ status: number }>();
    afterQuick = () => hanging.promise;
    await fillPlaces();
    const asked = bank.requests.map(({ url }) => /accounts\/([^/]+)/.exec(url)?.[1]);
    // Another replica holds all that waits, and whatever is due after it.
    const taken = await testDatabase.database.query(
      `update access_subject set epoch = epoch + 1, claimed_by = 'other', lease_until = now() + interval '1 hour'
where not provider_account_id = any($1) returning id`,
      [asked],
    );
    expect(taken).toHaveLength(ACCOUNTS - QUICK - 2);
    const renewedTo = async (): Promise<Date> =>
      (
        await testDatabase.database.query<{ at: Date }>(
          `select min(lease_until) as at from access_subject where claimed_by <> 'other'`,
        )
      )[0]?.at ?? new Date(0);
    hold(1_000);
    const first = await renewedTo();
    await eventually('the lease of before is over, and the calls under way have a new one', async () => {
      return (await renewedTo()).getTime() - first.getTime() > LEASE_SECONDS * 1000;
    });
    hanging.resolve({ status: 404 });
    await eventually(
      'both calls are written',
      async () => (await count(`balance_reading where outcome = 'ACCOUNT_UNKNOWN'`)) === 2,
    );
    expect(bank.requests.length).toBe(QUICK + 2);
    expect(await count(`access_subject where claimed_by = 'other'`)).toBe(ACCOUNTS - QUICK - 2);
  }, 60_000);

  it('are given back by a replica that stops, without waiting for its calls', async () => {
    const hanging = Promise.withResolvers<{ status: number }>();
    afterQuick = () => hanging.promise;
    await fillPlaces();
    await eventually('reads are claimed ahead', async () => (await claimed()) > 2 + 2);
    const closing = gateway.close();
    // Long before the grace is over, which ends the calls and with them the claims.
    await eventually('only the calls under way are held', async () => (await claimed()) <= 2, 4_000);
    expect(await count('access_ledger')).toBe(QUICK + 2);
    hanging.resolve({ status: 404 });
    await closing;
    expect(bank.requests.length).toBe(QUICK + 2);
  }, 60_000);
});

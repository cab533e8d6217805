import { addMyposAccount, registerAccount, type AddedAccount } from '../support/bank-accounts';
import { bankServers } from '../support/bank-server';
import { eventually } from '../support/eventually';
import { Outside, registerMypos, TestGateway } from '../support/gateway';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

const CONCURRENCY = 8;
const ACCOUNTS = 20;

describe('fairness between banks', () => {
  const startBank = bankServers();
  let testDatabase: TestDatabase;
  let outside: Outside;
  let gateway: TestGateway;

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    outside = await Outside.start();
    gateway = await TestGateway.start(testDatabase, outside, { SYNC_CONCURRENCY: String(CONCURRENCY) });
  });

  afterEach(async () => {
    await gateway.close();
    await outside.close();
    await testDatabase.drop();
  });

  async function slowBank(): Promise<{ requests: unknown[]; answer: () => void; accountIds: string[] }> {
    const answer = Promise.withResolvers<void>();
    const bank = await startBank(async () => {
      await answer.promise;
      return { status: 404 };
    });
    const { consentId } = await registerMypos(gateway, { mypos: bank }, { timeoutMs: 60_000 });
    const accountIds: string[] = [];
    for (let i = 0; i < ACCOUNTS; i++) accountIds.push(await registerAccount(gateway, consentId));
    return { requests: bank.requests, answer: answer.resolve, accountIds };
  }

  async function quickAccounts(): Promise<AddedAccount[]> {
    const { consentId } = await registerMypos(gateway, outside);
    const accounts: AddedAccount[] = [];
    for (let i = 0; i < ACCOUNTS; i++) accounts.push(await addMyposAccount({ gateway, outside }, consentId));
    return accounts;
  }

  it('a bank that does not answer leaves the last quarter to the others, which are read to the end', async () => {
    const slow = await slowBank();
    await quickAccounts();
    const { runId } = await gateway.ok('POST', '/admin/resync', { all: true });
    await eventually('the quick bank is read', async () => {
      const { outcomes } = await gateway.ok('GET', `/admin/runs/${runId}`);
      return outcomes.READ === ACCOUNTS;
    });
    // Alone with its accounts it takes every place; before that it had three quarters at most.
    await eventually('the slow bank has every place', async () => slow.requests.length === CONCURRENCY);
    slow.answer();
    expect(await gateway.finished(runId)).toMatchObject({ outcomes: { READ: ACCOUNTS, ACCOUNT_UNKNOWN: ACCOUNTS } });
  });

  it('a bank keeps three quarters at most while another has accounts that wait', async () => {
    const slow = await slowBank();
    const quick = await quickAccounts();
    // The others wait, held by another replica.
    await testDatabase.database.query(
      `update access_subject set claimed_by = 'other', lease_until = now() + interval '1 hour' where provider_account_id = any($1)`,
      [quick.map(({ number }) => number)],
    );
    const { runId } = await gateway.ok('POST', '/admin/resync', { all: true });
    await eventually('the slow bank has its share', async () => slow.requests.length === (CONCURRENCY * 3) / 4);
    await testDatabase.database.query(
      `update access_subject set claimed_by = null, lease_until = null where claimed_by = 'other'`,
    );
    await eventually('the quick bank is read', async () => {
      const { outcomes } = await gateway.ok('GET', `/admin/runs/${runId}`);
      return outcomes.READ === ACCOUNTS;
    });
    slow.answer();
    await gateway.finished(runId);
  });
});

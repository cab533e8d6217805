import { addMyposAccount, callsOf } from '../support/bank-accounts';
import { eventually } from '../support/eventually';
import { Outside, registerMypos, TestGateway } from '../support/gateway';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

describe('a gateway that is told to stop', () => {
  let testDatabase: TestDatabase;
  let outside: Outside;

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    outside = await Outside.start();
  });

  afterEach(async () => {
    await outside.close();
    await testDatabase.drop();
  });

  it('begins no read from then on, although a duty of its beat is held up for seconds', async () => {
    const gateway = await TestGateway.start(testDatabase, outside);
    const { consentId } = await registerMypos(gateway, outside);
    const { number } = await addMyposAccount({ gateway, outside }, consentId);
    await testDatabase.database.transaction(async (tx) => {
      await tx.query('set local idle_in_transaction_session_timeout = 0');
      await tx.query('lock table amlyze_endpoint in exclusive mode');
      await eventually('the beat waits for the lock', async () => {
        const waiting = await testDatabase.database.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return waiting.length > 0;
      });
      const startedAt = performance.now();
      const closed = gateway.close();
      await gateway.ok('POST', '/admin/resync', { all: true });
      // Until Postgres ends the wait of the duty.
      await closed;
      expect(performance.now() - startedAt).toBeLessThan(10_000);
    });
    expect(await callsOf(outside.mypos, number)).toBe(0);
    expect(await testDatabase.database.query('select from waiting_account')).toHaveLength(1);
  }, 30_000);
});

import { Backlog } from '../../src/health/backlog';
import { findRecords, type RecordFilter } from '../../src/records/record-views';
import type { Database, Queryable } from '../../src/shared/database';
import { OutboxRows } from '../support/outbox-rows';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { giveState, settledAs } from '../support/give-state';

const RECORDS = 20_000;
const ACCOUNTS = 2_000;
const FAILED = RECORDS / 200;

/** By fresh statistics, by which half of all waits, and with that at the end of the table, where a backlog always is. */
describe('what people and probes ask while a backlog grows', () => {
  let testDatabase: TestDatabase;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    const rows = await OutboxRows.open(testDatabase.database);
    const accounts = await rows.accounts(ACCOUNTS);
    for (const state of ['accepted', 'pending']) {
      await testDatabase.database.query(
        `insert into amlyze_record (communication_number, kind, account_id, account_ext_id, balance_type, balance_at, value, payload)
select $2 || n, 'balance', ($1::bigint[])[1 + n % ${ACCOUNTS}], 'A', 'TYPE_' || n, now(), 1, '{}' from generate_series(1, $3::integer) n`,
        [accounts, state, RECORDS],
      );
      await giveState(testDatabase.database, state === 'accepted' ? settledAs() : {});
    }
    // One in two hundred was refused, all over the accepted ones.
    await testDatabase.database.query(
      `update record_state set state = 'rejected', reason = 'BUSINESS_REJECTION', error_code = 'O7' where state = 'accepted' and record_id % 200 = 0`,
    );
    await testDatabase.database.query('vacuum analyze');
  });

  afterAll(() => testDatabase.drop());

  /** Records that `work` reads. */
  async function looks(work: (tx: Queryable) => Promise<void>): Promise<number> {
    return testDatabase.database.transaction(async (tx) => {
      const read = async (): Promise<number> => {
        const [row] = await tx.query<{ n: string }>(
          `select sum(seq_tup_read + idx_tup_fetch) as n from pg_stat_xact_user_tables where relname in ('amlyze_record', 'record_state')`,
        );
        return Number(row?.n);
      };
      const before = await read();
      await work(tx);
      return (await read()) - before;
    });
  }

  it('the list of pending records reads what it shows, and not all that was accepted before', async () => {
    const read = await looks(async (tx) => {
      const page = await findRecords(tx, { state: 'pending' }, undefined, 100);
      expect(page.map(({ communicationNumber }) => communicationNumber).slice(0, 2)).toEqual(['pending1', 'pending2']);
      const next = await findRecords(tx, { state: 'pending' }, page[99]?.id, 100);
      expect(next[0]?.communicationNumber).toBe('pending101');
    });
    // Each with its state.
    expect(read).toBeLessThanOrEqual(2 * 2 * 101);
  });

  it.each<[string, RecordFilter, number]>([
    ['of all records', {}, 100],
    ['of accepted records', { state: 'accepted' }, 100],
    ['of what failed with one code', { errorCode: 'O7' }, FAILED / 2],
    ['of what failed in one way', { state: 'rejected' }, FAILED / 2],
  ])('the list %s goes on from the middle without reading what lies before', async (_what, filter, expected) => {
    const [middle] = await testDatabase.database.query<{ id: string }>(
      `select record_id as id from record_state where state = 'rejected' order by record_id offset $1 limit 1`,
      [FAILED / 2 - 1],
    );
    const read = await looks(async (tx) => {
      const page = await findRecords(tx, filter, middle?.id, 99);
      expect(page).toHaveLength(expected);
      expect(BigInt(page[0]?.id ?? 0)).toBeGreaterThan(BigInt(middle?.id ?? 0));
    });
    expect(read).toBeLessThanOrEqual(2 * 100);
  });

  it('the oldest pending record is looked up', async () => {
    const read = await looks(async (tx) => {
      const { oldestPendingAt, states } = await new Backlog(tx as Database).snapshot(); // it asks one query
      expect(oldestPendingAt).toBeInstanceOf(Date);
      expect(states).toEqual({ pending: RECORDS, rejected: FAILED });
    });
    // Counting them is answered by the index alone. The oldest is looked up with its record, which tells whether it was put back.
    expect(read).toBeLessThanOrEqual(2);
  });

  it('a record that was put back hides none that has waited for longer', async () => {
    const { database } = testDatabase;
    const [first, second] = await findRecords(database, { state: 'pending' }, undefined, 2);
    const putBackAt = (when: string): Promise<unknown> =>
      database.query(`update record_state set created_at = ${when} where record_id = $1`, [first?.id]);
    await putBackAt('now()');
    try {
      const read = await looks(async (tx) => {
        const { oldestPendingAt } = await new Backlog(tx as Database).snapshot(); // it asks one query
        expect(oldestPendingAt?.toISOString()).toBe(second?.createdAt);
      });
      // Of twice as many that wait, and with the rest of the page that the update has touched.
      expect(read).toBeLessThanOrEqual(10_100);
    } finally {
      await putBackAt('(select created_at from amlyze_record where id = $1)');
      await database.query('vacuum record_state');
    }
  });
});

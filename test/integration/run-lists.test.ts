import type { Queryable } from '../../src/shared/database';
import { findRun, findRuns } from '../../src/sync/run-views';
import { OutboxRows } from '../support/outbox-rows';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => String(1_000 + n));

let testDatabase: TestDatabase;

beforeAll(async () => (testDatabase = await createTestDatabase()));
afterAll(() => testDatabase.drop());

describe('the scope of a run', () => {
  async function run(scope: object): Promise<string> {
    const [row] = await testDatabase.database.query<{ id: string }>(
      `insert into sync_run (trigger, scope) values ('resync', $1) returning id`,
      [scope],
    );
    return String(row?.id);
  }

  it.each([
    [
      'of more than ten accounts is shortened',
      { accountIds: ids(1_000) },
      { accountIds: ids(10), moreAccountIds: 990 },
    ],
    ['of ten accounts is whole', { accountIds: ids(10) }, { accountIds: ids(10) }],
    ['of all accounts is whole', { all: true }, { all: true }],
    ['of a consent is whole', { consentId: '3' }, { consentId: '3' }],
  ])('%s in a list, and as it was asked for in the run itself', async (_what, asked, listed) => {
    const { database } = testDatabase;
    const id = await run(asked);
    expect((await findRuns(database, undefined, 100)).items.at(-1)).toEqual(
      expect.objectContaining({ id, scope: listed }),
    );
    expect((await findRun(database, id))?.scope).toEqual(asked);
  });
});

describe('a list of runs', () => {
  const RUNS = 5;
  const RECORDS = 40;

  it('counts each run by a statement of its own, so that the backlog of many runs does not meet the time limit of statements', async () => {
    const { database } = testDatabase;
    const rows = await OutboxRows.open(database);
    const accounts = await rows.accounts(RECORDS);
    const [{ last } = { last: '0' }] = await database.query<{ last: string }>('select max(id) as last from sync_run');
    for (let n = 0; n < RUNS; n += 1) {
      const [run] = await database.query<{ id: string }>(
        `insert into sync_run (trigger, scope) values ('resync', '{"all": true}') returning id`,
      );
      await rows.enqueue(accounts, { runId: String(run?.id) });
    }
    await database.transaction(async (tx) => {
      const looked = async (): Promise<number> => {
        const [row] = await tx.query<{ n: string }>(
          `select idx_tup_fetch as n from pg_stat_xact_user_tables where relname = 'record_state'`,
        );
        return Number(row?.n);
      };
      let most = 0;
      let all = 0;
      const watched: Queryable = {
        query: async (sql, values) => {
          const before = await looked();
          const answer = await tx.query(sql, values);
          const seen = (await looked()) - before;
          most = Math.max(most, seen);
          all += seen;
          return answer as never;
        },
      };
      const { items } = await findRuns(watched, last, RUNS - 1);
      expect(items.map(({ records }) => records)).toEqual(Array(RUNS - 1).fill({ pending: RECORDS }));
      expect(most).toBe(RECORDS);
      // Nor the one too many, which only tells that there is a next page.
      expect(all).toBe((RUNS - 1) * RECORDS);
    });
  });
});

import { findRun, findRuns } from '../../src/sync/run-views';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => String(1_000 + n));

describe('the scope of a run', () => {
  let testDatabase: TestDatabase;

  beforeAll(async () => (testDatabase = await createTestDatabase()));
  afterAll(() => testDatabase.drop());

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
    expect((await findRuns(database, undefined, 100)).at(-1)).toEqual(expect.objectContaining({ id, scope: listed }));
    expect((await findRun(database, id))?.scope).toEqual(asked);
  });
});

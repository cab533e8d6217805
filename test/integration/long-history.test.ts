import { Outside, registerMypos, TestGateway } from '../support/gateway';
import { giveState, settledAs } from '../support/give-state';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

const ACCOUNTS = 200;
/** As many as fill a page of an index with the rows of one account. */
const RUNS_BEFORE = 150;

const GROWING = [
  'access_ledger',
  'balance_reading',
  'amlyze_record',
  'record_state',
  'record_key',
  'delivery_attempt',
  'delivery_result',
];

/** Copies what one run left behind, each copy eight hours before the one after it. */
const HISTORY = [
  `insert into access_ledger (subject_id, consent_id, purpose, request_id, read_at)
select subject_id, consent_id, purpose, gen_random_uuid(), read_at - n * interval '8 hours' from access_ledger, generate_series($1::int, 1, -1) n
order by n desc, id`,
  `insert into balance_reading (account_id, run_id, outcome, fetched_at, raw_body)
select account_id, run_id, outcome, fetched_at - n * interval '8 hours', raw_body from balance_reading, generate_series($1::int, 1, -1) n
order by n desc, id`,
  `insert into amlyze_record (communication_number, kind, account_id, account_ext_id, reading_id, run_id, balance_type, balance_at, value, payload)
select left(communication_number, length(communication_number) - 41) || to_char(balance_at - n * interval '8 hours', 'YYYYMMDD-') || md5(id::text || n),
  kind, account_id, account_ext_id, reading_id, run_id, balance_type, balance_at - n * interval '8 hours', value, payload
from amlyze_record, generate_series($1::int, 1, -1) n order by n desc, id`,
  `insert into record_key (account_id, balance_type, key, revision, value, communication_number, settings_hash)
select account_id, balance_type, 'run before ' || n, revision, value, communication_number, settings_hash
from record_key, generate_series($1::int, 1, -1) n order by n desc, account_id`,
];

describe('a long history', () => {
  let testDatabase: TestDatabase;
  let outside: Outside;
  let gateway: TestGateway;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    outside = await Outside.start();
    gateway = await TestGateway.start(testDatabase, outside);
    const { consentId } = await registerMypos(gateway, outside);
    const numbers = Array.from({ length: ACCOUNTS }, (_, n) => `H${n}`);
    const balances = [{ amount: '100.00', currency: 'EUR' }];
    await outside.mypos.putAccounts(numbers.map((accountNumber) => ({ accountNumber, balances })));
    await outside.amlyze.putAccounts(numbers.map((accountExtId) => ({ accountExtId, currency: 'EUR' })));
    for (const number of numbers) {
      const account = { consentId, providerAccountId: number, currency: 'EUR', accountExtId: number };
      await gateway.ok('POST', '/admin/accounts', account);
    }
    await gateway.sync();
    await gateway.delivered();
    await testDatabase.database.transaction(async (tx) => {
      await tx.query('set local session_replication_role = replica');
      // A vacuum at the wrong moment would change pages too.
      for (const table of GROWING) await tx.query(`alter table ${table} set (autovacuum_enabled = false)`);
      for (const statement of HISTORY) await tx.query(statement, [RUNS_BEFORE]);
      await giveState(tx, settledAs());
      // A block of ids is full.
      for (const table of ['balance_reading', 'amlyze_record'])
        await tx.query(`select setval(pg_get_serial_sequence('${table}', 'id'), 300000)`);
    });
    await testDatabase.database.query('create extension pageinspect');
  }, 120_000);

  afterAll(async () => {
    await gateway.close();
    await outside.close();
    await testDatabase.drop();
  });

  it('costs a run no page of an index for each account', async () => {
    const { database } = testDatabase;
    const [before] = await database.query<{ at: string }>('select pg_current_wal_lsn()::text as at');
    await gateway.sync();
    await gateway.delivered();
    // Each page says where in the log its last change is.
    const changed = await database.query<{ index: string; pages: number }>(
      `select i.indexrelid::regclass::text as index, count(*)::int as pages
from pg_index i cross join lateral generate_series(0, pg_relation_size(i.indexrelid) / 8192 - 1) as page(number)
cross join lateral page_header(get_raw_page(i.indexrelid::regclass::text, page.number))
where i.indrelid::regclass::text = any($1) and lsn > $2::pg_lsn group by 1 order by 2 desc`,
      [GROWING, before?.at],
    );
    // Every index of theirs without a condition got an entry for each account.
    expect(changed.length).toBeGreaterThan(10);
    expect(changed.filter(({ pages }) => pages > ACCOUNTS / 10)).toEqual([]);
  });
});

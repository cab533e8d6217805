import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { OutboxRows } from '../support/outbox-rows';
import { claimDue } from '../../src/outbox/claim';
import type { Settlement } from '../../src/outbox/settle';
import { settle } from '../support/settle';
import { REQUEST } from '../support/outbox-setting';

const NOWHERE = 9_999;

describe('a row that points to what was before it', () => {
  let test: TestDatabase;

  beforeAll(async () => {
    test = await createTestDatabase();
    const rows = await OutboxRows.open(test.database);
    await rows.enqueue(await rows.accounts(2));
    await test.database.query(
      `with run as (insert into sync_run (trigger, scope) values ('resync', '{"all": true}') returning id)
insert into waiting_account (run_id, account_id, connection_id, subject_id) select run.id, a.id, connection_id, subject_id from run, account a`,
    );
    const batch = await claimDue(test.database, REQUEST);
    if (!batch) throw new Error('nothing was claimed');
    const settlements = batch.records.map((record): Settlement => ({
      record,
      state: 'accepted',
      inDoubt: false,
      verdict: 'accepted',
    }));
    await settle(test.database, batch.attemptId, settlements, { outcome: 'answered' });
  });
  afterAll(() => test.drop());

  const RECORD = `insert into amlyze_record (communication_number, kind, account_id, account_ext_id, reading_id, run_id, balance_type, balance_at, value, payload)`;

  it.each([
    [
      'access_ledger_access_subject',
      `insert into access_ledger (subject_id, consent_id, purpose, request_id) values ($1, 1, 'resync', gen_random_uuid())`,
    ],
    [
      'waiting_account_account',
      `insert into waiting_account (run_id, account_id, connection_id, subject_id) values (1, $1, 1, 1)`,
    ],
    [
      'waiting_account_sync_run',
      `insert into waiting_account (run_id, account_id, connection_id, subject_id) values ($1, 1, 1, 1)`,
    ],
    ['balance_reading_account', `insert into balance_reading (account_id, outcome) values ($1, 'READ')`],
    ['balance_reading_sync_run', `insert into balance_reading (account_id, run_id, outcome) values (1, $1, 'READ')`],
    ['amlyze_record_balance_reading', `${RECORD} values ('n', 'balance', 1, 'A1', $1, null, 'B', now(), 1, '{}')`],
    ['amlyze_record_account', `${RECORD} values ('n', 'balance', $1, 'A1', null, null, 'B', now(), 1, '{}')`],
    ['amlyze_record_sync_run', `${RECORD} values ('n', 'balance', 1, 'A1', null, $1, 'B', now(), 1, '{}')`],
    ['record_state_amlyze_record', `insert into record_state (record_id, channel) values ($1, 'balance')`],
    [
      'record_key_account',
      `insert into record_key (account_id, balance_type, key, revision, value, communication_number, settings_hash) values ($1, 'B', 'k', 1, 1, 'n', 's')`,
    ],
    [
      'delivery_result_amlyze_record',
      `insert into delivery_result (record_id, attempt_id, verdict) values ($1, 1, 'accepted')`,
    ],
    [
      'delivery_result_delivery_attempt',
      `insert into delivery_result (record_id, attempt_id, verdict) values (1, $1, 'accepted')`,
    ],
  ])('is refused as %s where there is no such row', async (constraint, sql) => {
    const [, table] = /^insert into (\w+)/.exec(sql) ?? [];
    await expect(test.database.query(sql, [NOWHERE])).rejects.toMatchObject({ code: '23503', table, constraint });
  });

  it('is refused among others that are right, and these with it', async () => {
    const before = await test.database.query('select count(*) from balance_reading');
    const sql = `insert into balance_reading (account_id, outcome) select unnest($1::bigint[]), 'READ'`;
    await expect(test.database.query(sql, [[1, 2, NOWHERE]])).rejects.toThrow(`account ${NOWHERE}`);
    expect(await test.database.query('select count(*) from balance_reading')).toEqual(before);
  });

  it('is refused as a record of a reading of another account or run', async () => {
    const [reading] = await test.database.query<{ id: string }>('select id from balance_reading where account_id = 1');
    const refused = { code: '23503', constraint: 'amlyze_record_balance_reading' };
    for (const [account, run] of [
      [2, null],
      [1, 1],
    ]) {
      const insert = test.database.query(`${RECORD} values ('n', 'balance', $1, 'A2', $2, $3, 'B', now(), 1, '{}')`, [
        account,
        reading?.id,
        run,
      ]);
      await expect(insert).rejects.toMatchObject(refused);
    }
  });

  it.each([
    'access_subject',
    'account',
    'sync_run',
    'balance_reading',
    'amlyze_record',
    'record_state',
    'delivery_attempt',
  ])('can rely on it: nothing is taken out of %s', async (table) => {
    await expect(test.database.query(`delete from ${table}`)).rejects.toMatchObject({ code: '23001' });
    await expect(test.database.query(`truncate ${table} cascade`)).rejects.toMatchObject({ code: '23001' });
    expect((await test.database.query(`select from ${table}`)).length).toBeGreaterThan(0);
  });

  it.each([
    ['balance_reading', 'account_id = 2'],
    ['balance_reading', `outcome = 'BANK_ERROR', reason = 'x'`],
    ['amlyze_record', 'account_id = 2'],
    ['amlyze_record', 'reading_id = null'],
    ['amlyze_record', 'run_id = 1'],
    ['record_state', 'account_id = 2'],
    ['record_state', 'balance_at = now()'],
    ['record_key', 'account_id = 2'],
    ['waiting_account', 'account_id = 2'],
    ['account', 'id = 77'],
    ['access_subject', 'id = 77'],
    ['sync_run', 'id = 77'],
  ])('goes on pointing there: %s refuses %s', async (table, change) => {
    await expect(test.database.query(`update ${table} set ${change}`)).rejects.toMatchObject({ code: '23001' });
  });
});

import type { DataSource } from 'typeorm';
import { openDataSource } from '../../src/database/data-source';
import { loadMigrations, migrate, revertLast, type MigrationClass } from '../../src/database/migrations';
import type { StoredStep } from '../../src/balances/step';
import { showSteps } from '../../src/sync/wordings';
import { eventually } from '../support/eventually';
import { createEmptyDatabase } from '../support/postgres';

/** The last version whose records had their state in the same row, and whose runs kept a row for each account. */
const BEFORE = 1795996800000;

/** Gives records their state in a table of its own. */
const STATE_APART = 1796169600000;

const numberOf = (Migration: MigrationClass): number => Number(/\d+$/.exec(new Migration().name ?? '')?.[0]);

const DATA = `
insert into connection (name, provider, base_url) values ('bank', 'mypos', 'https://bank.example');
insert into consent (connection_id, consent_id) values (1, 'c');
insert into access_subject (consent_id, provider_account_id) select 1, 'N' || n from generate_series(1, 4) n;
insert into account (connection_id, consent_id, subject_id, provider_account_id, currency, account_ext_id)
select 1, 1, id, provider_account_id, 'EUR', provider_account_id from access_subject order by id;
insert into sync_run (trigger, scope, accounts) values ('resync', '{"all":true}', 4);
insert into balance_reading (account_id, run_id, outcome, reason, steps) values
  (1, 1, 'BANK_UNAVAILABLE', '503', '[{"rule":"fetch","text":"503"}]'), (1, 1, 'READ', null, '[{"rule":"sign","text":"Amount 1 is 1."}]'),
  (2, 1, 'READ', null, null), (3, 1, 'BANK_ERROR', '400', null);
insert into sync_run_account (run_id, account_id, connection_id, subject_id, due_at, tries, outcome, reading_id) values
  (1, 1, 1, 1, '2026-03-01', 1, 'READ', 2), (1, 2, 1, 2, '2026-03-01', 0, 'READ', 3), (1, 3, 1, 3, '2026-03-01', 0, 'BANK_ERROR', 4),
  (1, 4, 1, 4, '2026-03-02', 2, null, null);
insert into delivery_attempt (id, endpoint, records, replica, finished_at, outcome) values (1, 'balances', 2, 'r', now(), 'answered');
insert into delivery_attempt (id, endpoint, records, replica) values (2, 'balances', 1, 'r');
insert into amlyze_record (communication_number, kind, account_id, account_ext_id, reading_id, run_id, balance_type, balance_at, value, payload, state, reason,
  error_code, in_doubt, attempts, epoch, next_attempt_at, lease_until, attempt_id, settled_at, created_at) values
  ('n-1', 'balance', 1, 'N1', 2, 1, 'B', '2026-03-01', 1.50, '{"value":1.50}', 'accepted', null, null, false, 0, 1, null, null, null, '2026-03-03', '2026-03-01'),
  ('n-2', 'balance', 2, 'N2', 3, 1, 'B', '2026-03-01', 2, '{"value":2}', 'sending', null, null, true, 1, 2, null, '2026-03-04', 2, null, '2026-03-01'),
  ('n-3', 'balance', 2, 'N2', 3, 1, 'C', '2026-03-01', 3, '{"value":3}', 'rejected', 'no', 'O7', false, 0, 1, null, null, null, '2026-03-03', '2026-03-01'),
  ('n-4', 'balance', 2, 'N2', 3, 1, 'D', '2026-03-01', 4, '{"value":4}', 'pending', null, null, false, 0, 0, '2026-03-05', null, null, null, '2026-03-01');
insert into amlyze_record (communication_number, kind, channel, operation_ext_id, payload, sealed, sealed_at, payload_digest, shredded_at, state, reason, settled_at,
  next_attempt_at) values
  ('o-1', 'operation', 'operation-single', 'op-1', 'v1.a', true, now(), '\\x01', null, 'pending', null, null, '2026-03-05'),
  ('o-2', 'operation', 'operation-single', 'op-2', null, true, now(), '\\x01', now(), 'held', 'SHREDDED', '2026-03-03', null);
insert into delivery_result (record_id, attempt_id, verdict) values (1, 1, 'accepted'), (2, 1, 'in-doubt'), (3, 1, 'rejected');`;

interface Versions {
  database: Awaited<ReturnType<typeof createEmptyDatabase>>;
  /** Sessions of the last version before, which made the data. */
  before: DataSource;
  /** Sessions of this one; nothing is migrated yet. */
  after: DataSource;
}

async function openVersions(): Promise<Versions> {
  const database = await createEmptyDatabase();
  const old = loadMigrations().filter((Migration) => numberOf(Migration) <= BEFORE);
  const before = await openDataSource({ url: database.url, applicationName: 'test', migrations: old });
  await migrate(before);
  await before.query(DATA);
  return { database, before, after: await openDataSource({ url: database.url, applicationName: 'test' }) };
}

async function closeVersions({ database, before, after }: Versions): Promise<void> {
  await before.destroy();
  await after.destroy();
  await database.drop();
}

describe('the migrations that move data', () => {
  let database: Versions['database'];
  let before: DataSource;
  let after: DataSource;

  beforeAll(async () => {
    ({ database, before, after } = await openVersions());
  });
  afterAll(async () => {
    await closeVersions({ database, before, after });
  });

  const contents = async (): Promise<unknown> => ({
    records: await before.query(
      `select id, communication_number, state, reason, error_code, in_doubt, attempts, next_attempt_at, lease_until, attempt_id, settled_at, payload
from amlyze_record order by id`,
    ),
    waiting: await before.query(
      `select run_id, account_id, connection_id, subject_id, outcome, reading_id, case when outcome is null then due_at end as due_at,
  case when outcome is null then tries end as tries from sync_run_account order by account_id`,
    ),
    readings: await before.query(`select id, outcome, steps from balance_reading order by id`),
    attempts: await before.query(
      'select id, records, outcome, finished_at is null as open from delivery_attempt order by id',
    ),
  });

  it('keep every state, place and claim on the way up, and on the way down again', async () => {
    const old = await contents();
    await migrate(after);
    expect(
      await after.query(
        `select communication_number as number, state, in_doubt as doubt, claims, next_attempt_at as due, attempt_id as attempt, card_data as cards, standing
from record_with_state order by id`,
      ),
    ).toEqual([
      {
        number: 'n-1',
        state: 'accepted',
        doubt: false,
        claims: 1,
        due: null,
        attempt: null,
        cards: null,
        standing: null,
      },
      {
        number: 'n-2',
        state: 'sending',
        doubt: true,
        claims: 2,
        due: null,
        attempt: '2',
        cards: null,
        standing: 'open',
      },
      {
        number: 'n-3',
        state: 'rejected',
        doubt: false,
        claims: 1,
        due: null,
        attempt: null,
        cards: null,
        standing: 'rejected',
      },
      {
        number: 'n-4',
        state: 'pending',
        doubt: false,
        claims: 0,
        due: expect.any(Date),
        attempt: null,
        cards: null,
        standing: 'open',
      },
      {
        number: 'o-1',
        state: 'pending',
        doubt: false,
        claims: 0,
        due: expect.any(Date),
        attempt: null,
        cards: 'kept',
        standing: 'open',
      },
      {
        number: 'o-2',
        state: 'held',
        doubt: false,
        claims: 0,
        due: null,
        attempt: null,
        cards: 'shredded',
        standing: 'held',
      },
    ]);
    expect(await after.query('select id, record_ids, lease_until from delivery_attempt order by id')).toEqual([
      { id: '1', record_ids: null, lease_until: null },
      { id: '2', record_ids: ['2'], lease_until: new Date('2026-03-04T00:00:00Z') },
    ]);
    const newest = new Date('2026-03-01T00:00:00Z');
    expect(await after.query('select * from record_series order by account_id, balance_type')).toEqual([
      { account_id: '1', balance_type: 'B', newest_balance_at: newest },
      { account_id: '2', balance_type: 'B', newest_balance_at: newest },
      { account_id: '2', balance_type: 'C', newest_balance_at: newest },
      { account_id: '2', balance_type: 'D', newest_balance_at: newest },
    ]);
    expect(await after.query('select account_id, tries from waiting_account')).toEqual([{ account_id: '4', tries: 2 }]);
    expect(await after.query('select id, final from balance_reading order by id')).toEqual([
      { id: '1', final: false },
      { id: '2', final: true },
      { id: '3', final: true },
      { id: '4', final: true },
    ]);

    // A reading of the new version, which the old one has to be able to read.
    await after.query(`insert into wording (rule, words) values ('sign', '{"Amount "," is ","."}')`);
    await after.query(
      `insert into balance_reading (account_id, outcome, steps) values (1, 'READ', '[[1,"5","-5"],{"rule":"x","text":"y"}]')`,
    );
    const [{ steps }] = await after.query<[{ steps: StoredStep[] }]>('select steps from balance_reading where id = 5');
    const sentences = await showSteps(after, steps);

    for (let n = after.migrations.length - before.migrations.length; n > 0; n -= 1) await revertLast(after);
    const restored = (await contents()) as { readings: { id: string; steps: unknown }[] };
    expect(restored.readings.pop()).toMatchObject({ id: '5', steps: sentences });
    expect(restored).toEqual(old);
  });
});

describe('the migrations that move data, where the version before was just at work', () => {
  let database: Versions['database'];
  let before: DataSource;
  let after: DataSource;

  beforeEach(async () => {
    ({ database, before, after } = await openVersions());
  });
  afterEach(async () => {
    await closeVersions({ database, before, after });
  });

  it('bring back a record that was left in a claim whose call had ended: in doubt, due, and in the log', async () => {
    await before.query(`update delivery_attempt set finished_at = now(), outcome = 'lost' where id = 2`);
    await migrate(after);
    const [record] = await after.query(
      `select state, in_doubt as doubt, claims, whole_failures as failures, next_attempt_at as due, attempt_id as attempt
from record_with_state where communication_number = 'n-2'`,
    );
    const due = expect.any(Date);
    expect(record).toEqual({ state: 'pending', doubt: true, claims: 2, failures: 1, due, attempt: null });
    expect(await after.query('select verdict, reason from delivery_result where attempt_id = 2')).toEqual([
      { verdict: 'in-doubt', reason: 'lease-expired' },
    ]);
  });

  it('take out of a connection the setting that is gone, and leave the others alone', async () => {
    const settings = { creditLine: 'unknown', signatureScheme: 'sha256-suffix' };
    await before.query(
      `insert into connection (name, provider, base_url, settings) values ('old', 'onesingleview', 'https://bank.example', $1)`,
      [JSON.stringify(settings)],
    );
    const found = `select name, settings, updated_at as changed from connection order by id`;
    const [bank] = await before.query(found);
    await migrate(after);
    const [same, old] = await after.query(found);
    expect(same).toEqual(bank);
    expect(old.settings).toEqual({ creditLine: 'unknown' });
  });

  it('wait for a transaction that still makes a record, and give that record a state', async () => {
    const untilThen = loadMigrations().filter((Migration) => numberOf(Migration) < STATE_APART);
    const almost = await openDataSource({ url: database.url, applicationName: 'test', migrations: untilThen });
    await migrate(almost);
    await almost.destroy();
    const runner = before.createQueryRunner();
    await runner.startTransaction();
    await runner.query(
      `insert into amlyze_record (communication_number, kind, account_id, account_ext_id, balance_type, balance_at, value, payload)
values ('n-9', 'balance', 4, 'N4', 'B', now(), 9, '{}')`,
    );
    const migrated = migrate(after);
    await eventually('the migrations wait', async () => {
      const [row] = await before.query('select count(*)::int as waiting from pg_locks where not granted');
      return row.waiting > 0;
    });
    await runner.commitTransaction();
    await runner.release();
    await migrated;
    expect(await after.query(`select state from record_with_state where communication_number = 'n-9'`)).toEqual([
      { state: 'pending' },
    ]);
  });
});

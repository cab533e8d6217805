/**
 * The statements that make a history: the rows of one run that the gateway made are copied again and again, each copy as a
 * run of its own, some hours after the one before. `$1` is the number of the copy, from 1 on. Ids are shifted by a fixed
 * span each time, so that a copy's rows point to one another as the originals do.
 */

/** What the copies are made of: spans between ids, and what the run was. */
export const SPANS = `
select (select max(id) from sync_run) as run, (select max(id) from balance_reading) as reading, (select max(id) from amlyze_record) as record,
  (select max(id) from delivery_attempt) as attempt, (select max(id) from access_ledger) as ledger`;

export interface Spans {
  run: string;
  reading: string;
  record: string;
  attempt: string;
  ledger: string;
}

const HOURS_APART = 13;

/** The original moves so far into the past that all copies lie between it and yesterday. */
export function moveOriginal(copies: number): string[] {
  const span = `interval '${(copies + 2) * HOURS_APART} hours'`;
  const earlier = (...columns: string[]): string =>
    columns.map((column) => `${column} = ${column} - ${span}`).join(', ');
  return [
    `update sync_run set ${earlier('started_at', 'finished_at')}`,
    `update balance_reading set ${earlier('fetched_at', 'balance_at')}`,
    `update amlyze_record set ${earlier('balance_at', 'created_at')}`,
    `update record_state set ${earlier('balance_at', 'created_at', 'settled_at')}`,
    `update access_ledger set ${earlier('read_at')}`,
  ];
}

const later = (column: string): string => `(${column} + $1::int * interval '${HOURS_APART} hours')`;
/** As the gateway's numbers are: all of a run begin alike and have a date, which is looked up once for a copy, and end in a digest. */
const number = (column: string): string =>
  `(select left(f.communication_number, -41) || to_char(${later('f.balance_at')} at time zone 'UTC', 'YYYYMMDD') || '-'
  from amlyze_record f order by f.id limit 1) || md5(${column} || $1::int)`;

/** One record in 200 was refused, one read in 100 failed before it succeeded. */
const REFUSED = `(r.account_id + $1::int) % 200 = 0`;

export function copyStatements(spans: Spans): string[] {
  const run = `$1::bigint * ${spans.run}`;
  // Twice as far, for the failed readings in between.
  const reading = `$1::bigint * ${spans.reading} * 2`;
  const record = `$1::bigint * ${spans.record}`;
  const attempt = `$1::bigint * ${spans.attempt}`;
  const ledger = `$1::bigint * ${spans.ledger}`;
  return [
    `insert into sync_run (id, trigger, scope, accounts, outcomes, started_at, finished_at)
select id + ${run}, trigger, scope, accounts, outcomes, ${later('started_at')}, ${later('finished_at')} from sync_run where id <= ${spans.run}`,

    `insert into access_ledger (id, subject_id, consent_id, read_at, purpose, request_id)
select id + ${ledger}, subject_id, consent_id, ${later('read_at')}, purpose, request_id from access_ledger where id <= ${spans.ledger}`,

    `insert into balance_reading (id, account_id, run_id, outcome, fetched_at, request_id, http_status, latency_ms, raw_body, balance_at,
  balance_at_source, communication_number, steps)
select r.id + ${reading}, r.account_id, r.run_id + ${run}, r.outcome, ${later('r.fetched_at')}, r.request_id, r.http_status, r.latency_ms,
  r.raw_body, ${later('r.balance_at')}, r.balance_at_source, ${number('r.communication_number')}, r.steps
from balance_reading r where r.id <= ${spans.reading} order by r.id`,

    `insert into balance_reading (id, account_id, run_id, outcome, reason, fetched_at, request_id, http_status, latency_ms, final)
select r.id + ${reading} + ${spans.reading}, r.account_id, r.run_id + ${run}, 'BANK_UNAVAILABLE', '503 of the bank', ${later('r.fetched_at')},
  r.request_id, 503, r.latency_ms, false
from balance_reading r where r.id <= ${spans.reading} and (r.account_id + $1::int) % 100 = 0`,

    `insert into amlyze_record (id, communication_number, kind, account_id, account_ext_id, reading_id, run_id, balance_type, balance_at,
  value, payload, created_at)
select r.id + ${record}, n.number, r.kind, r.account_id, r.account_ext_id, r.reading_id + ${reading}, r.run_id + ${run}, r.balance_type,
  ${later('r.balance_at')}, r.value, replace(r.payload, r.communication_number, n.number), ${later('r.created_at')}
from amlyze_record r cross join lateral (select ${number('r.communication_number')} as number offset 0) n
where r.id <= ${spans.record} order by r.id`,

    `insert into record_state (record_id, channel, account_id, balance_type, balance_at, run_id, state, reason, error_code, error_description,
  claims, next_attempt_at, created_at, settled_at)
select r.record_id + ${record}, r.channel, r.account_id, r.balance_type, ${later('r.balance_at')}, r.run_id + ${run},
  case when ${REFUSED} then 'rejected' else r.state end, case when ${REFUSED} then 'VALIDATION' end,
  case when ${REFUSED} then 'O00' || (r.account_id % 5) end, case when ${REFUSED} then 'not acceptable' end, r.claims, null,
  ${later('r.created_at')}, ${later('r.settled_at')}
from record_state r where r.record_id <= ${spans.record} order by r.record_id`,

    `insert into record_key (account_id, balance_type, key, revision, value, communication_number, settings_hash)
select r.account_id, r.balance_type, 'run ' || (r.run_id + ${run}), 1, r.value, ${number('r.communication_number')}, '0123456789abcdef'
from amlyze_record r where r.id <= ${spans.record} order by r.id`,

    `insert into delivery_attempt (id, endpoint, records, replica, started_at, finished_at, http_status, outcome, latency_ms)
select id + ${attempt}, endpoint, records, replica, ${later('started_at')}, ${later('finished_at')}, http_status, outcome, latency_ms
from delivery_attempt where id <= ${spans.attempt}`,

    `insert into delivery_result (record_id, attempt_id, verdict, answer, settled_at)
select record_id + ${record}, attempt_id + ${attempt}, verdict, answer, ${later('settled_at')} from delivery_result
where record_id <= ${spans.record} order by record_id`,
  ];
}

/** What the gateway does within minutes of a run's last verdict; a list of runs that were never counted counts millions of records. */
export const COUNT_RUNS = `
update sync_run r set records = c.records
from (select run_id, jsonb_object_agg(state, n) as records
      from (select run_id, state, count(*) as n from record_state group by run_id, state) s group by run_id) c
where r.id = c.run_id`;

export const HISTORY_TABLES = [
  'access_ledger',
  'balance_reading',
  'amlyze_record',
  'record_state',
  'record_key',
  'delivery_attempt',
  'delivery_result',
] as const;

/**
 * Indexes and keys that are quicker made again than kept up: those with an entry for most rows. The primary keys in front grow at their
 * right edge.
 */
export const SECONDARY = `
select i.indexrelid::regclass::text as index, c.conname as constraint, i.indrelid::regclass::text as table,
  coalesce('alter table ' || i.indrelid::regclass || ' add constraint ' || c.conname || ' ' || pg_get_constraintdef(c.oid),
    pg_get_indexdef(i.indexrelid)) as make
from pg_index i join pg_class x on x.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
left join pg_constraint c on c.conindid = i.indexrelid and c.contype in ('p', 'u')
where i.indrelid::regclass::text = any($1) and (not i.indisprimary or i.indrelid = 'record_key'::regclass) and x.reltuples > t.reltuples / 2`;

export interface SecondaryIndex {
  index: string;
  constraint: string | null;
  table: string;
  make: string;
}

export const ADVANCE_SEQUENCES = [
  'sync_run',
  'access_ledger',
  'balance_reading',
  'amlyze_record',
  'delivery_attempt',
].map((table) => `select setval(pg_get_serial_sequence('${table}', 'id'), (select max(id) from ${table}))`);

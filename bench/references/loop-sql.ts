import { lookedUp } from '../../src/shared/looked-up';

/**
 * The statements of the bare loop: one for each step, each writes what the gateway writes at that step (its CLAIM and
 * ledger, its readings, records and keys, its claim of a batch, its settlement) and nothing guards anything beyond that. Their
 * plans are held as the gateway's are (words that lead to one index, a limit on each list, rows that are looked up), so that it is a strong reference.
 */

export const OPEN_RUN = `insert into sync_run (trigger, scope, accounts) values ('resync', '{"all": true}', $1) returning id`;

export const FILL_RUN = `
insert into waiting_account (run_id, account_id, connection_id, subject_id)
select $1, id, connection_id, subject_id from account order by id limit $2`;

export const FINISH_RUN = `update sync_run set finished_at = now(), outcomes = jsonb_build_object('READ', accounts) where id = $1`;

export const CLAIM_SUBJECTS = {
  name: 'claim-subjects',
  text: `
with picked as materialized (
  select s.account_id, u.id from waiting_account s join access_subject u on ${lookedUp('u.id', 's.subject_id')}
  where s.connection_id = $1 and s.connection_id > 0 and s.due_at <= now()
    and (u.lease_until is null or u.lease_until < now())
  order by s.due_at, s.run_id, s.account_id
  limit $2
  for update of u skip locked
), claimed as (
  update access_subject u set epoch = u.epoch + 1, claimed_by = 'loop', lease_until = now() + interval '30 seconds'
  from picked p where ${lookedUp('u.id', 'p.id')}
  returning u.id, u.consent_id, u.provider_account_id, u.epoch, p.account_id
), asked as materialized (
  select *, gen_random_uuid() as request_id from claimed
), ledger as (
  insert into access_ledger (subject_id, consent_id, purpose, request_id) select id, consent_id, 'resync', request_id from asked
)
select c.id as subject_id, c.provider_account_id as number, c.request_id, c.account_id, a.account_ext_id as name
from asked c join account a on ${lookedUp('a.id', 'c.account_id')}`,
};

export const WRITE = {
  name: 'write',
  text: `
with given as materialized (
  select nextval((select pg_get_serial_sequence('balance_reading', 'id')::regclass)) as reading_id, $1::bigint as run_id, g.*
  from unnest($4::bigint[], $5::bigint[], $6::text[], $7::uuid[], $8::timestamptz[], $9::integer[], $10::text[], $11::numeric[],
    $12::text[], $13::text[], $14::json[])
  as g(subject_id, account_id, account_ext_id, request_id, fetched_at, latency_ms, raw_body, value, communication_number, payload, steps)
  limit $15
), reading as (
  insert into balance_reading (id, account_id, run_id, outcome, fetched_at, request_id, http_status, latency_ms, raw_body, balance_at,
    balance_at_source, communication_number, steps)
  select reading_id, account_id, $1, 'READ', fetched_at, request_id, 200, latency_ms, raw_body, fetched_at, 'fetch',
    communication_number, steps from given
), keyed as (
  insert into record_key (account_id, balance_type, key, revision, value, communication_number, settings_hash)
  select account_id, 'STATEMENT_BALANCE', $2, 1, value, communication_number, $3 from given
  on conflict (account_id, balance_type, key) do nothing
), record as (
  insert into amlyze_record (communication_number, kind, account_id, account_ext_id, reading_id, run_id, balance_type, balance_at, value,
    payload)
  select communication_number, 'balance', account_id, account_ext_id, reading_id, $1, 'STATEMENT_BALANCE', fetched_at, value, payload
  from given
  returning id, account_id, balance_type, balance_at, run_id
), stated as (
  insert into record_state (record_id, channel, account_id, balance_type, balance_at, run_id)
  select id, 'balance', account_id, balance_type, balance_at, run_id from record
), finished as (
  delete from waiting_account s using given g where ${lookedUp('s.run_id', 'g.run_id')} and s.account_id = g.account_id
)
update access_subject u set claimed_by = null, lease_until = null, last_read_at = now() from given g where ${lookedUp('u.id', 'g.subject_id')}`,
};

export const CLAIM_RECORDS = {
  name: 'claim-records',
  text: `
with ready as materialized (
  select record_id as id from record_state
  where channel = 'balance' and next_attempt_at <= now() and state = 'pending' and batch_group is null
  order by next_attempt_at, record_id limit $1
  for update skip locked
), attempt as (
  insert into delivery_attempt (endpoint, records, replica, lease_until, record_ids)
  select $2, count(*), 'loop', now() + interval '30 seconds', array_agg(id) from ready having count(*) > 0
  returning id
), claimed as (
  update record_state r set state = 'sending', attempt_id = attempt.id, in_doubt = true, claims = r.claims + 1
  from ready, attempt where ${lookedUp('r.record_id', 'ready.id')}
  returning r.record_id as id, r.attempt_id
)
select c.id, c.attempt_id, m.communication_number, m.payload from claimed c join amlyze_record m on ${lookedUp('m.id', 'c.id')}`,
};

export const SETTLE = {
  name: 'settle',
  text: `
with given as materialized (
  select * from unnest($2::bigint[], string_to_array($3, E'\\n', '')) as g(id, answer) limit $5
), settled as (
  update record_state r
  set state = 'accepted', in_doubt = false, attempt_id = null, next_attempt_at = null, settled_at = now()
  from given g where ${lookedUp('r.record_id', 'g.id')} and r.attempt_id = $1
), logged as (
  insert into delivery_result (record_id, attempt_id, verdict, answer) select id, $1, 'accepted', answer from given
)
update delivery_attempt
set finished_at = now(), lease_until = null, record_ids = null, outcome = 'answered', http_status = 200, latency_ms = $4
where id = $1`,
};

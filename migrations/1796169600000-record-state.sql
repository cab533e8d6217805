-- migrate:up

-- How far a record got stands apart from what it is. The record with its bytes is wide, has an index for each way in which people look
-- for it, and never changes; its state is narrow and changes with every claim and verdict. In one row each change wrote the bytes and
-- up to seven index entries anew.
--
-- No column that a claim changes is in an index or an index's condition: the new version of the row stays in its page, and no index
-- hears of it. For that half of each page is left free, what is being sent keeps its place among what is due, and lists ask for a column
-- of their own, in which pending and sending are the same.
--
-- A process of the version before may still be at work. What it wrote between the copy and the loss of its columns would be a record
-- without a state: so it waits from here on, and then fails.
lock table amlyze_record, delivery_attempt, delivery_result in access exclusive mode;

-- The call was settled, or given up as lost, and some of its records were left in the claim: their own leases were to bring them back.
create temporary table stranded on commit drop as
select r.id, r.attempt_id from amlyze_record r
where r.state = 'sending' and not exists (select from delivery_attempt a where a.id = r.attempt_id and a.finished_at is null);
insert into delivery_result (record_id, attempt_id, verdict, reason)
select id, attempt_id, 'in-doubt', 'lease-expired' from stranded where attempt_id is not null on conflict do nothing;

create table record_state (
  record_id bigint not null,
  channel text not null,
  -- The series (account, AMLYZE balance type) and the place in it; null for operations.
  account_id bigint,
  balance_type text,
  balance_at timestamptz,
  revision integer not null default 1,
  run_id bigint,
  state text not null default 'pending',
  reason text,
  error_code text,
  error_description text,
  in_doubt boolean not null default false,
  -- Times it was claimed; each claim leaves a row in delivery_result.
  claims integer not null default 0,
  -- Attempts that were its own fault.
  attempts smallint not null default 0,
  whole_failures smallint not null default 0,
  batch_group bigint,
  -- Its place among what is due, also while it is being sent.
  next_attempt_at timestamptz default now(),
  -- The attempt that it is under way with: the fence of every write after a claim.
  attempt_id bigint,
  card_data text,
  created_at timestamptz not null default now(),
  settled_at timestamptz,
  -- What lists ask for: still open, or settled in a way that needs a person. Nearly all records are accepted and have none.
  standing text generated always as (case when settled_at is null then 'open' when state <> 'accepted' then state end) stored,
  constraint record_state_pkey primary key (record_id),
  constraint record_state_state check (state in ('pending', 'sending', 'accepted', 'rejected', 'held', 'exhausted')),
  constraint record_state_claimed check ((state = 'sending') = (attempt_id is not null)),
  constraint record_state_settled check ((state in ('accepted', 'rejected', 'held', 'exhausted')) = (settled_at is not null)),
  constraint record_state_due check ((state in ('pending', 'sending')) = (next_attempt_at is not null)),
  constraint record_state_explained check (state not in ('held', 'rejected', 'exhausted') or reason is not null),
  constraint record_state_accepted_sure check (state <> 'accepted' or not in_doubt),
  constraint record_state_card_data check (card_data in ('kept', 'shredded')),
  -- What has no bytes cannot be sent.
  constraint record_state_sendable check (card_data is distinct from 'shredded' or state not in ('pending', 'sending'))
) with (fillfactor = 50);

insert into record_state (record_id, channel, account_id, balance_type, balance_at, revision, run_id, state, reason, error_code, error_description,
  in_doubt, claims, attempts, whole_failures, batch_group, next_attempt_at, attempt_id, card_data, created_at, settled_at)
select r.id, r.channel, r.account_id, r.balance_type, r.balance_at, r.revision, r.run_id, r.state, r.reason, r.error_code, r.error_description,
  r.in_doubt, (select count(*) from delivery_result d where d.record_id = r.id and not d.late) + case when r.attempt_id is null then 0 else 1 end,
  r.attempts, r.whole_failures, r.batch_group, case when r.state = 'sending' then r.created_at else r.next_attempt_at end,
  case when r.state = 'sending' then r.attempt_id end,
  case when r.payload is null then 'shredded' when r.sealed then 'kept' end, r.created_at, r.settled_at
from amlyze_record r where not exists (select from stranded l where l.id = r.id)
union all
select r.id, r.channel, r.account_id, r.balance_type, r.balance_at, r.revision, r.run_id, 'pending', r.reason, r.error_code, r.error_description,
  true, (select count(*) from delivery_result d where d.record_id = r.id and not d.late), r.attempts, r.whole_failures + 1, r.batch_group,
  r.created_at, null, case when r.sealed then 'kept' end, r.created_at, null
from amlyze_record r join stranded l on l.id = r.id;

create index record_state_due on record_state (channel, next_attempt_at, record_id) where next_attempt_at is not null;
-- Of one account and balance type only the oldest unsettled record may be sent.
create index record_state_series_open on record_state (account_id, balance_type, balance_at, revision)
  where settled_at is null and account_id is not null;
create index record_state_group on record_state (batch_group) where batch_group is not null;
create index record_state_standing on record_state (standing, record_id) where standing is not null;
create index record_state_run_failed on record_state (run_id, standing, record_id) where standing <> 'open' and run_id is not null;
create index record_state_error on record_state (error_code, record_id) where error_code is not null;
create index record_state_card_data on record_state (settled_at) where card_data = 'kept';

create function record_state_refers() returns trigger language plpgsql as $$
declare stray bigint;
begin
  select f.record_id into stray from fresh f where (select true from amlyze_record p where p.id = any(array[f.record_id])) is null limit 1;
  if found then perform refuse_stray('record_state', 'amlyze_record', stray); end if;
  return null;
end $$;
create trigger record_state_refers after insert on record_state
  referencing new table as fresh for each statement execute function record_state_refers();
create trigger record_state_kept before delete on record_state for each row execute function refuse_change();
-- What the state repeats of its record, for its indexes, stays what the record says.
create trigger record_state_stands before update of record_id, channel, account_id, balance_type, balance_at, revision, run_id
  on record_state for each row execute function refuse_change();
create trigger record_state_no_truncate before truncate on record_state for each statement execute function refuse_change();

-- An attempt that is under way is the claim of its records: their numbers and the lease are its own.
alter table delivery_attempt add column lease_until timestamptz, add column record_ids bigint[];
alter table delivery_attempt disable trigger delivery_attempt_once;
update delivery_attempt a set
  lease_until = (select max(r.lease_until) from amlyze_record r where r.attempt_id = a.id and r.state = 'sending'),
  record_ids = (select array_agg(r.id order by r.id) from amlyze_record r where r.attempt_id = a.id and r.state = 'sending')
where a.finished_at is null;
update delivery_attempt set finished_at = now(), outcome = 'lost', detail = 'nothing of it was under way' where finished_at is null and lease_until is null;
alter table delivery_attempt enable trigger delivery_attempt_once;
alter table delivery_attempt
  add constraint delivery_attempt_claims check ((finished_at is null) = (lease_until is not null) and (finished_at is null) = (record_ids is not null));
create index delivery_attempt_leased on delivery_attempt (lease_until) where lease_until is not null;

-- What is left of the record never changes, but that card data goes and may come back by a resubmission, whose digest may be under a
-- newer key.
drop trigger amlyze_record_frozen on amlyze_record;
drop trigger amlyze_record_stands on amlyze_record;
create or replace function amlyze_record_frozen() returns trigger language plpgsql as $$
declare
  card_data constant text[] := case when old.sealed then '{payload,payload_digest,sealed_at,shredded_at}' else '{}' end;
begin
  if to_jsonb(new) - card_data is distinct from to_jsonb(old) - card_data
    or new.payload <> old.payload
    or (new.payload_digest is distinct from old.payload_digest and (old.payload is not null or new.payload is null))
  then
    raise exception 'the request of amlyze_record % is frozen: update refused', old.id using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
alter table amlyze_record
  drop column state,
  drop column reason,
  drop column error_code,
  drop column error_description,
  drop column in_doubt,
  drop column attempts,
  drop column whole_failures,
  drop column batch_group,
  drop column next_attempt_at,
  drop column epoch,
  drop column lease_until,
  drop column attempt_id,
  drop column settled_at,
  reset (fillfactor);
create trigger amlyze_record_frozen before update on amlyze_record for each row execute function amlyze_record_frozen();

-- A record and how far it got, for lists and for people.
create view record_with_state as
select r.id, r.communication_number, r.kind, r.channel, r.account_id, r.account_ext_id, r.business_unit, r.operation_ext_id, r.reading_id, r.run_id,
  r.balance_type, r.balance_at, r.value, r.revision, r.supersedes, r.supersedes_reason, r.payload, r.sealed, r.sealed_at, r.payload_digest,
  r.shredded_at, s.state, s.reason, s.error_code, s.error_description, s.in_doubt, s.claims, s.attempts, s.whole_failures, s.batch_group,
  case when s.state = 'pending' then s.next_attempt_at end as next_attempt_at, s.attempt_id, s.card_data, r.created_at, s.settled_at, s.standing
from amlyze_record r join record_state s on s.record_id = r.id;

-- migrate:down

drop view record_with_state;
drop trigger amlyze_record_frozen on amlyze_record;
alter table amlyze_record
  add column state text not null default 'pending',
  add column reason text,
  add column error_code text,
  add column error_description text,
  add column in_doubt boolean not null default false,
  add column attempts smallint not null default 0,
  add column whole_failures smallint not null default 0,
  add column batch_group bigint,
  add column next_attempt_at timestamptz default now(),
  add column epoch bigint not null default 0,
  add column lease_until timestamptz,
  add column attempt_id bigint,
  add column settled_at timestamptz,
  set (fillfactor = 70);
update amlyze_record r set state = s.state, reason = s.reason, error_code = s.error_code, error_description = s.error_description,
  in_doubt = s.in_doubt, attempts = s.attempts, whole_failures = s.whole_failures, batch_group = s.batch_group,
  next_attempt_at = case when s.state = 'pending' then s.next_attempt_at end, epoch = s.claims, attempt_id = s.attempt_id,
  lease_until = (select a.lease_until from delivery_attempt a where a.id = s.attempt_id), settled_at = s.settled_at
from record_state s where s.record_id = r.id;
alter table amlyze_record
  add constraint amlyze_record_state check (state in ('pending', 'sending', 'accepted', 'rejected', 'held', 'exhausted')),
  add constraint amlyze_record_claimed check ((state = 'sending') = (lease_until is not null)),
  add constraint amlyze_record_settled check ((state in ('accepted', 'rejected', 'held', 'exhausted')) = (settled_at is not null)),
  add constraint amlyze_record_due check ((state = 'pending') = (next_attempt_at is not null)),
  add constraint amlyze_record_explained check (state not in ('held', 'rejected', 'exhausted') or reason is not null),
  add constraint amlyze_record_accepted_sure check (state <> 'accepted' or not in_doubt),
  add constraint amlyze_record_sendable check (payload is not null or state not in ('pending', 'sending'));
create index amlyze_record_due_at on amlyze_record (channel, next_attempt_at, id) where next_attempt_at is not null;
create index amlyze_record_leased on amlyze_record (lease_until) where lease_until is not null;
create index amlyze_record_group on amlyze_record (batch_group) where batch_group is not null;
create index amlyze_record_series_open on amlyze_record (account_id, balance_type, balance_at, revision) where settled_at is null;
create index amlyze_record_error on amlyze_record (error_code, id) where error_code is not null;
create index amlyze_record_attention on amlyze_record (state, id) where state <> 'accepted';
create index amlyze_record_run_failed on amlyze_record (run_id, state, id) where state in ('rejected', 'held', 'exhausted');
create index amlyze_record_card_data_settled on amlyze_record (settled_at) where sealed and payload is not null;

create or replace function amlyze_record_frozen() returns trigger language plpgsql as $$
begin
  raise exception 'the request of amlyze_record % is frozen: update refused', old.id using errcode = 'restrict_violation';
end $$;
create trigger amlyze_record_frozen after update of communication_number, payload, payload_digest, sealed on amlyze_record
  for each row when (
    new.communication_number <> old.communication_number
    or new.sealed <> old.sealed
    or new.payload <> old.payload
    or (new.payload_digest is distinct from old.payload_digest and (old.payload is not null or new.payload is null))
  ) execute function amlyze_record_frozen();
create trigger amlyze_record_stands before update of account_id, reading_id, run_id on amlyze_record
  for each row execute function refuse_change();

drop index delivery_attempt_leased;
alter table delivery_attempt drop constraint delivery_attempt_claims, drop column lease_until, drop column record_ids;
drop table record_state;
drop function record_state_refers();

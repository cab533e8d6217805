-- migrate:up

-- What waits to be read is a queue: an account is taken out of it with the reading that ends its part in the run. So the queue is as
-- large as what is due, and the readings alone tell how a run went. Before, a run kept a row for each of its accounts for good, and
-- each outcome was written twice.
lock table sync_run_account, balance_reading in access exclusive mode;
alter table balance_reading add column final boolean not null default true;
alter table balance_reading disable trigger balance_reading_kept;
update balance_reading b set final = false
where run_id is not null and not exists (
  select from sync_run_account s where s.run_id = b.run_id and s.account_id = b.account_id and s.reading_id = b.id);
alter table balance_reading enable trigger balance_reading_kept;

create table waiting_account (
  run_id bigint not null,
  account_id bigint not null,
  connection_id bigint not null,
  subject_id bigint not null,
  due_at timestamptz not null default now(),
  tries smallint not null default 0,
  constraint waiting_account_pkey primary key (run_id, account_id)
);
insert into waiting_account select run_id, account_id, connection_id, subject_id, due_at, tries from sync_run_account where outcome is null;
drop table sync_run_account;
drop function sync_run_account_refers();
-- Always true, but only a question that says it can have this index; one that knows run and account must not read all of it.
create index waiting_account_due on waiting_account (connection_id, due_at, run_id, account_id) where connection_id > 0;
create index waiting_account_subject on waiting_account (subject_id);

create function waiting_account_refers() returns trigger language plpgsql as $$
declare stray bigint;
begin
  select f.account_id into stray from fresh f where (select true from account p where p.id = any(array[f.account_id])) is null limit 1;
  if found then perform refuse_stray('waiting_account', 'account', stray); end if;
  select f.run_id into stray from fresh f where (select true from sync_run p where p.id = any(array[f.run_id])) is null limit 1;
  if found then perform refuse_stray('waiting_account', 'sync_run', stray); end if;
  return null;
end $$;
create trigger waiting_account_refers after insert on waiting_account
  referencing new table as fresh for each statement execute function waiting_account_refers();
create trigger waiting_account_stands before update of run_id, account_id on waiting_account for each row execute function refuse_change();

-- migrate:down

create table sync_run_account (
  run_id bigint not null,
  account_id bigint not null,
  connection_id bigint not null,
  subject_id bigint not null,
  due_at timestamptz not null default now(),
  tries smallint not null default 0,
  outcome text,
  reading_id bigint,
  constraint sync_run_account_pkey primary key (run_id, account_id),
  constraint sync_run_account_answered check ((outcome is null) or (reading_id is not null))
) with (fillfactor = 70);
insert into sync_run_account (run_id, account_id, connection_id, subject_id, due_at, outcome, reading_id)
select b.run_id, b.account_id, a.connection_id, a.subject_id, b.fetched_at, b.outcome, b.id
from balance_reading b join account a on a.id = b.account_id where b.run_id is not null and b.final;
insert into sync_run_account (run_id, account_id, connection_id, subject_id, due_at, tries)
select run_id, account_id, connection_id, subject_id, due_at, tries from waiting_account;
drop table waiting_account;
drop function waiting_account_refers();
create index sync_run_account_due on sync_run_account (connection_id, due_at, run_id, account_id) where outcome is null;
create index sync_run_account_waiting on sync_run_account (subject_id) where coalesce(outcome, 'waiting') = 'waiting';
create index sync_run_account_open on sync_run_account (run_id) where coalesce(outcome, 'open') = 'open';
create function sync_run_account_refers() returns trigger language plpgsql as $$
declare stray bigint;
begin
  select f.account_id into stray from fresh f where (select true from account p where p.id = any(array[f.account_id])) is null limit 1;
  if found then perform refuse_stray('sync_run_account', 'account', stray); end if;
  select f.run_id into stray from fresh f where (select true from sync_run p where p.id = any(array[f.run_id])) is null limit 1;
  if found then perform refuse_stray('sync_run_account', 'sync_run', stray); end if;
  return null;
end $$;
create trigger sync_run_account_refers after insert on sync_run_account
  referencing new table as fresh for each statement execute function sync_run_account_refers();
alter table balance_reading drop column final;

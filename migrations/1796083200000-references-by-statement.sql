-- migrate:up

-- A balance leaves rows in six tables that point to rows before them. A foreign key looks up and locks what each single row points
-- to, which was a third of what Postgres did for a balance. What is pointed to here is never taken away (the triggers below see to
-- it), so that nothing needs a lock, and one look for all rows of a statement finds what points nowhere. As a sub-select of its own
-- each look-up can only go by the key: as a join it may as well read all of a table that was small when the plan was made.

-- Whoever still writes by the old ways waits here, in the order in which runs are filled, read and delivered.
lock table sync_run, account, sync_run_account, access_subject, access_ledger, balance_reading, record_key, amlyze_record, delivery_attempt,
  delivery_result in access exclusive mode;

create function refuse_stray(child text, parent text, id bigint) returns void language plpgsql as $$
begin
  raise exception '% points to % %, which does not exist', child, parent, id
    using errcode = 'foreign_key_violation', table = child, constraint = child || '_' || parent;
end $$;

create function access_ledger_refers() returns trigger language plpgsql as $$
declare stray bigint;
begin
  select f.subject_id into stray from fresh f where (select true from access_subject p where p.id = any(array[f.subject_id])) is null limit 1;
  if found then perform refuse_stray('access_ledger', 'access_subject', stray); end if;
  return null;
end $$;
alter table access_ledger drop constraint access_ledger_subject_id_fkey, drop constraint access_ledger_consent_id_fkey;
create trigger access_ledger_refers after insert on access_ledger
  referencing new table as fresh for each statement execute function access_ledger_refers();

create function sync_run_account_refers() returns trigger language plpgsql as $$
declare stray bigint;
begin
  select f.account_id into stray from fresh f where (select true from account p where p.id = any(array[f.account_id])) is null limit 1;
  if found then perform refuse_stray('sync_run_account', 'account', stray); end if;
  select f.run_id into stray from fresh f where (select true from sync_run p where p.id = any(array[f.run_id])) is null limit 1;
  if found then perform refuse_stray('sync_run_account', 'sync_run', stray); end if;
  return null;
end $$;
alter table sync_run_account drop constraint sync_run_account_run_id_fkey, drop constraint sync_run_account_account_id_fkey;
create trigger sync_run_account_refers after insert on sync_run_account
  referencing new table as fresh for each statement execute function sync_run_account_refers();

create function balance_reading_refers() returns trigger language plpgsql as $$
declare stray bigint;
begin
  select f.account_id into stray from fresh f where (select true from account p where p.id = any(array[f.account_id])) is null limit 1;
  if found then perform refuse_stray('balance_reading', 'account', stray); end if;
  select f.run_id into stray from fresh f
  where f.run_id is not null and (select true from sync_run p where p.id = any(array[f.run_id])) is null limit 1;
  if found then perform refuse_stray('balance_reading', 'sync_run', stray); end if;
  return null;
end $$;
alter table balance_reading drop constraint balance_reading_account_id_fkey, drop constraint balance_reading_run_id_fkey;
create trigger balance_reading_refers after insert on balance_reading
  referencing new table as fresh for each statement execute function balance_reading_refers();

-- A reading is looked up by its id now, for which the second column of these might seem to do (see the migrations before).
drop index balance_reading_account;
create index balance_reading_account on balance_reading (account_id, id) where account_id is not null;
drop index balance_reading_run;
create index balance_reading_run on balance_reading (run_id, id) where run_id is not null;

-- A record that came of a reading has the reading's account and run.
create function amlyze_record_refers() returns trigger language plpgsql as $$
declare stray bigint;
begin
  select f.reading_id into stray from fresh f
  where f.reading_id is not null and (
    select true from balance_reading p
    where p.id = any(array[f.reading_id]) and p.account_id = f.account_id and p.run_id is not distinct from f.run_id) is null limit 1;
  if found then perform refuse_stray('amlyze_record', 'balance_reading', stray); end if;
  select f.account_id into stray from fresh f
  where f.reading_id is null and f.account_id is not null
    and (select true from account p where p.id = any(array[f.account_id])) is null limit 1;
  if found then perform refuse_stray('amlyze_record', 'account', stray); end if;
  select f.run_id into stray from fresh f
  where f.reading_id is null and f.run_id is not null and (select true from sync_run p where p.id = any(array[f.run_id])) is null limit 1;
  if found then perform refuse_stray('amlyze_record', 'sync_run', stray); end if;
  return null;
end $$;
alter table amlyze_record
  drop constraint amlyze_record_account_id_fkey, drop constraint amlyze_record_reading_id_fkey, drop constraint amlyze_record_run_id_fkey;
create trigger amlyze_record_refers after insert on amlyze_record
  referencing new table as fresh for each statement execute function amlyze_record_refers();

create function record_key_refers() returns trigger language plpgsql as $$
declare stray bigint;
begin
  select f.account_id into stray from fresh f where (select true from account p where p.id = any(array[f.account_id])) is null limit 1;
  if found then perform refuse_stray('record_key', 'account', stray); end if;
  return null;
end $$;
alter table record_key drop constraint record_key_account_id_fkey;
create trigger record_key_refers after insert on record_key
  referencing new table as fresh for each statement execute function record_key_refers();

create function delivery_result_refers() returns trigger language plpgsql as $$
declare stray bigint;
begin
  select f.record_id into stray from fresh f where (select true from amlyze_record p where p.id = any(array[f.record_id])) is null limit 1;
  if found then perform refuse_stray('delivery_result', 'amlyze_record', stray); end if;
  select f.attempt_id into stray from fresh f where (select true from delivery_attempt p where p.id = any(array[f.attempt_id])) is null limit 1;
  if found then perform refuse_stray('delivery_result', 'delivery_attempt', stray); end if;
  return null;
end $$;
alter table delivery_result drop constraint delivery_result_record_id_fkey, drop constraint delivery_result_attempt_id_fkey;
create trigger delivery_result_refers after insert on delivery_result
  referencing new table as fresh for each statement execute function delivery_result_refers();

-- What is pointed to stays, and so does where a row points to.
create trigger access_subject_kept before delete on access_subject for each row execute function refuse_change();
create trigger access_subject_no_truncate before truncate on access_subject for each statement execute function refuse_change();
create trigger account_kept before delete on account for each row execute function refuse_change();
create trigger account_no_truncate before truncate on account for each statement execute function refuse_change();
create trigger sync_run_kept before delete on sync_run for each row execute function refuse_change();
create trigger sync_run_no_truncate before truncate on sync_run for each statement execute function refuse_change();
create trigger balance_reading_kept before delete or update on balance_reading for each row execute function refuse_change();
create trigger balance_reading_no_truncate before truncate on balance_reading for each statement execute function refuse_change();
create trigger amlyze_record_kept before delete on amlyze_record for each row execute function refuse_change();
create trigger amlyze_record_no_truncate before truncate on amlyze_record for each statement execute function refuse_change();
create trigger amlyze_record_stands before update of account_id, reading_id, run_id on amlyze_record
  for each row execute function refuse_change();
create trigger delivery_attempt_no_truncate before truncate on delivery_attempt for each statement execute function refuse_change();
create trigger access_subject_stands before update of id on access_subject for each row execute function refuse_change();
create trigger account_stands before update of id on account for each row execute function refuse_change();
create trigger sync_run_stands before update of id on sync_run for each row execute function refuse_change();
create trigger access_ledger_stands before update of subject_id, consent_id on access_ledger for each row execute function refuse_change();
create trigger record_key_stands before update of account_id on record_key for each row execute function refuse_change();

-- migrate:down

drop trigger if exists record_key_stands on record_key;
drop trigger if exists access_ledger_stands on access_ledger;
drop trigger if exists sync_run_stands on sync_run;
drop trigger if exists account_stands on account;
drop trigger if exists access_subject_stands on access_subject;
drop trigger delivery_attempt_no_truncate on delivery_attempt;
drop trigger amlyze_record_stands on amlyze_record;
drop trigger amlyze_record_no_truncate on amlyze_record;
drop trigger amlyze_record_kept on amlyze_record;
drop trigger balance_reading_no_truncate on balance_reading;
drop trigger balance_reading_kept on balance_reading;
drop trigger sync_run_no_truncate on sync_run;
drop trigger sync_run_kept on sync_run;
drop trigger account_no_truncate on account;
drop trigger account_kept on account;
drop trigger access_subject_no_truncate on access_subject;
drop trigger access_subject_kept on access_subject;

drop trigger delivery_result_refers on delivery_result;
alter table delivery_result
  add constraint delivery_result_record_id_fkey foreign key (record_id) references amlyze_record (id),
  add constraint delivery_result_attempt_id_fkey foreign key (attempt_id) references delivery_attempt (id);
drop function delivery_result_refers();
drop trigger record_key_refers on record_key;
alter table record_key add constraint record_key_account_id_fkey foreign key (account_id) references account (id);
drop function record_key_refers();
drop trigger amlyze_record_refers on amlyze_record;
alter table amlyze_record
  add constraint amlyze_record_account_id_fkey foreign key (account_id) references account (id),
  add constraint amlyze_record_reading_id_fkey foreign key (reading_id) references balance_reading (id),
  add constraint amlyze_record_run_id_fkey foreign key (run_id) references sync_run (id);
drop function amlyze_record_refers();
drop index balance_reading_run;
create index balance_reading_run on balance_reading (run_id, id);
drop index balance_reading_account;
create index balance_reading_account on balance_reading (account_id, id);
drop trigger balance_reading_refers on balance_reading;
alter table balance_reading
  add constraint balance_reading_account_id_fkey foreign key (account_id) references account (id),
  add constraint balance_reading_run_id_fkey foreign key (run_id) references sync_run (id);
drop function balance_reading_refers();
drop trigger sync_run_account_refers on sync_run_account;
alter table sync_run_account
  add constraint sync_run_account_run_id_fkey foreign key (run_id) references sync_run (id),
  add constraint sync_run_account_account_id_fkey foreign key (account_id) references account (id);
drop function sync_run_account_refers();
drop trigger access_ledger_refers on access_ledger;
alter table access_ledger
  add constraint access_ledger_subject_id_fkey foreign key (subject_id) references access_subject (id),
  add constraint access_ledger_consent_id_fkey foreign key (consent_id) references consent (id);
drop function access_ledger_refers();
drop function refuse_stray(text, text, bigint);

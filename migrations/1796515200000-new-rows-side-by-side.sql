-- migrate:up

-- Indexes that began with an account, or what else there are many of, had a page for each of them once the history was long. A run over
-- all accounts changed all of these pages: read from disk, written back, and after a checkpoint written to the log whole. Now each
-- begins with what rows that are written together have in common, so that a run changes some hundred pages side by side.

-- Whoever still claims or writes waits here: at the subjects, which either locks first.
lock table access_subject, record_key, amlyze_record, balance_reading, access_ledger in access exclusive mode;

-- By the day of the read in UTC: a budget looks back one day. One index for the budgets of accounts and of consents, whose subjects are told
-- with each question.
drop index access_ledger_subject;
drop index access_ledger_consent;
create index access_ledger_day on access_ledger (((read_at at time zone 'UTC')::date), consent_id, subject_id, read_at);
-- Budgets are answered from this index alone once a vacuum has been there, which takes milliseconds where rows only come and few go.
alter table access_ledger set (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 5000);

-- By blocks of ids: rows that came one after the other. The conditions hold for every row; only a question that names the block implies them.
drop index balance_reading_account;
create index balance_reading_account on balance_reading ((id >> 18), account_id, id) where (id >> 18) is not null;
drop index amlyze_record_series;
create index amlyze_record_account on amlyze_record ((id >> 18), account_id, balance_at) where (id >> 18) is not null;

-- What superseded a record was looked for among all records of its account.
create index amlyze_record_supersedes on amlyze_record (supersedes) where supersedes is not null;

-- All balances of a run have the same key, or the instant of their day.
alter table record_key drop constraint record_key_pkey;
alter table record_key add constraint record_key_pkey primary key (key, account_id, balance_type);

-- The newest balance of each series, whatever became of it: a balance that is not older than this is older than none that was
-- sent, which was found in the index of all records before.
create table record_series (
  account_id bigint not null,
  balance_type text not null,
  newest_balance_at timestamptz not null,
  constraint record_series_pkey primary key (account_id, balance_type)
) with (fillfactor = 50);
insert into record_series (account_id, balance_type, newest_balance_at)
select account_id, balance_type, max(balance_at) from amlyze_record where account_id is not null group by account_id, balance_type;

-- A trigger, so that whoever adds a record keeps it up. In the order of accounts: two that meet here wait for each other in no
-- circle. That the accounts exist is seen to where the records are.
create function amlyze_record_newest() returns trigger language plpgsql as $$
begin
  insert into record_series as s (account_id, balance_type, newest_balance_at)
  select a.account_id, a.balance_type, max(a.balance_at) from added a where a.account_id is not null group by 1, 2 order by 1, 2
  on conflict (account_id, balance_type) do update set newest_balance_at = excluded.newest_balance_at
  where s.newest_balance_at < excluded.newest_balance_at;
  return null;
end $$;
create trigger amlyze_record_newest after insert on amlyze_record
  referencing new table as added for each statement execute function amlyze_record_newest();
create trigger record_series_kept before delete on record_series for each row execute function refuse_change();
create trigger record_series_stands before update of account_id, balance_type on record_series for each row execute function refuse_change();
create trigger record_series_no_truncate before truncate on record_series for each statement execute function refuse_change();

-- migrate:down

lock table access_subject, record_key, amlyze_record, balance_reading, access_ledger in access exclusive mode;
drop trigger amlyze_record_newest on amlyze_record;
drop function amlyze_record_newest();
drop table record_series;
alter table record_key drop constraint record_key_pkey;
alter table record_key add constraint record_key_pkey primary key (account_id, balance_type, key);
drop index amlyze_record_supersedes;
drop index amlyze_record_account;
create index amlyze_record_series on amlyze_record (account_id, balance_type, balance_at);
drop index balance_reading_account;
create index balance_reading_account on balance_reading (account_id, id) where account_id is not null;
alter table access_ledger reset (autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_insert_threshold);
drop index access_ledger_day;
create index access_ledger_consent on access_ledger (consent_id, read_at) include (subject_id) where consent_id is not null;
create index access_ledger_subject on access_ledger (subject_id, read_at) where subject_id is not null;

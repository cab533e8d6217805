-- migrate:up

-- Statistics are mostly made when nothing waits, and say so: "no row". By them every partial index of what waits looks as good
-- as the others, and a claim that took another's read all of it. So each question has words of its own, from which the
-- planner can conclude one index only. For records these are the columns that only one state has (CHECKs say so).
drop index amlyze_record_due_at;
create index amlyze_record_due_at on amlyze_record (channel, next_attempt_at, id) where next_attempt_at is not null;
drop index amlyze_record_leased;
create index amlyze_record_leased on amlyze_record (lease_until) where lease_until is not null;
drop index amlyze_record_series_open;
create index amlyze_record_series_open on amlyze_record (account_id, balance_type, balance_at, revision) where settled_at is null;

-- sync_run_account_due keeps `outcome is null`; these two are asked for by expressions of their own.
drop index sync_run_account_waiting;
create index sync_run_account_waiting on sync_run_account (subject_id) where coalesce(outcome, 'waiting') = 'waiting';
drop index sync_run_account_open;
create index sync_run_account_open on sync_run_account (run_id) where coalesce(outcome, 'open') = 'open';

-- The reads of a consent are counted by account: with the account in the index, without a look at the rows.
drop index access_ledger_consent;
create index access_ledger_consent on access_ledger (consent_id, read_at) include (subject_id);

-- migrate:down

drop index access_ledger_consent;
create index access_ledger_consent on access_ledger (consent_id, read_at);
drop index sync_run_account_open;
create index sync_run_account_open on sync_run_account (run_id) where outcome is null;
drop index sync_run_account_waiting;
create index sync_run_account_waiting on sync_run_account (subject_id) where outcome is null;
drop index amlyze_record_series_open;
create index amlyze_record_series_open on amlyze_record (account_id, balance_type, balance_at, revision)
  where state in ('pending', 'sending');
drop index amlyze_record_leased;
create index amlyze_record_leased on amlyze_record (lease_until) where state = 'sending';
drop index amlyze_record_due_at;
create index amlyze_record_due_at on amlyze_record (channel, next_attempt_at, id) where state = 'pending';

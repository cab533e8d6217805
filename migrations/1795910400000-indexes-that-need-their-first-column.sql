-- migrate:up

-- An index whose first column a question does not name can still be read from end to end for a later one, and on a table that was
-- analyzed while it was empty that looks as cheap as the right index. Each of these says that its first column is not null:
-- always true, but only a question that names the column lets the planner conclude it. Made before the old one is dropped:
-- readers wait for a moment only.
create index amlyze_record_run_next on amlyze_record (run_id, id) where run_id is not null;
drop index amlyze_record_run;
alter index amlyze_record_run_next rename to amlyze_record_run;
create index access_ledger_subject_next on access_ledger (subject_id, read_at) where subject_id is not null;
drop index access_ledger_subject;
alter index access_ledger_subject_next rename to access_ledger_subject;
create index access_ledger_consent_next on access_ledger (consent_id, read_at) include (subject_id) where consent_id is not null;
drop index access_ledger_consent;
alter index access_ledger_consent_next rename to access_ledger_consent;

-- migrate:down

drop index access_ledger_consent;
create index access_ledger_consent on access_ledger (consent_id, read_at) include (subject_id);
drop index access_ledger_subject;
create index access_ledger_subject on access_ledger (subject_id, read_at);
drop index amlyze_record_run;
create index amlyze_record_run on amlyze_record (run_id, id);

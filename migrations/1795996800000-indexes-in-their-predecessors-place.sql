-- migrate:up

-- Tables in the order in which readings are written: whoever is in the middle of that is waited for with nothing in hand.
drop index amlyze_record_run;
alter index amlyze_record_run_next rename to amlyze_record_run;
drop index access_ledger_subject;
alter index access_ledger_subject_next rename to access_ledger_subject;
drop index access_ledger_consent;
alter index access_ledger_consent_next rename to access_ledger_consent;

-- migrate:down

alter index access_ledger_consent rename to access_ledger_consent_next;
create index access_ledger_consent on access_ledger (consent_id, read_at) include (subject_id);
alter index access_ledger_subject rename to access_ledger_subject_next;
create index access_ledger_subject on access_ledger (subject_id, read_at);
alter index amlyze_record_run rename to amlyze_record_run_next;
create index amlyze_record_run on amlyze_record (run_id, id);

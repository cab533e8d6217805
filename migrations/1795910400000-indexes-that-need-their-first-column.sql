-- migrate:up

-- An index whose first column a question does not name can still be read from end to end for a later one, and on a table that was
-- analyzed while it was empty that looks as cheap as the right index. Each of these says that its first column is not null:
-- always true, but only a question that names the column lets the planner conclude it. They take their predecessors' place in
-- a migration of its own: dropping an index in the transaction that has built another locks the table more and more, and
-- ends in a deadlock with the replicas that go on meanwhile.
create index amlyze_record_run_next on amlyze_record (run_id, id) where run_id is not null;
create index access_ledger_subject_next on access_ledger (subject_id, read_at) where subject_id is not null;
create index access_ledger_consent_next on access_ledger (consent_id, read_at) include (subject_id) where consent_id is not null;

-- migrate:down

drop index access_ledger_consent_next;
drop index access_ledger_subject_next;
drop index amlyze_record_run_next;

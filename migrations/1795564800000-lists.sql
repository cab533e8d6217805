-- migrate:up

-- Records of the run by state, once all of them are settled: a run of 50,000 is not counted anew for every look at it.
-- Null while some are under way, and again after an operator's act on one of them.
alter table sync_run add column records jsonb;
create index sync_run_uncounted on sync_run (id) where records is null and finished_at is not null;

-- What failed is looked for by run; what went well, which is nearly everything, has no entry and costs nothing.
create index amlyze_record_run_failed on amlyze_record (run_id, state, id) where state in ('rejected', 'held', 'exhausted');
create index balance_reading_run_failed on balance_reading (run_id, outcome, id) where outcome <> 'READ';

-- migrate:down

drop index balance_reading_run_failed;
drop index amlyze_record_run_failed;
drop index sync_run_uncounted;
alter table sync_run drop column records;

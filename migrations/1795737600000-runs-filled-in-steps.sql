-- migrate:up

-- The last account that was put into a run that is still being filled; null once it is complete. A run of a million accounts is
-- filled in steps, each committed, so that reading begins with the first.
alter table sync_run add column filled_to bigint;
create index sync_run_filling on sync_run (id) where filled_to is not null;

-- The first reading of an account pins its types: with room in the page that touches no index.
alter table account set (fillfactor = 85);

-- migrate:down

alter table account reset (fillfactor);
drop index sync_run_filling;
alter table sync_run drop column filled_to;

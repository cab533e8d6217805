-- migrate:up

-- How a bank API has been doing lately, seen by all replicas. Apart from connection, whose updated_at is its version.
-- open_until: the breaker is open; once it has passed, one read may probe at a time (probe_until is the probe's lease).
create table connection_health (
  connection_id bigint primary key references connection (id) on delete cascade,
  unavailable_in_row integer not null default 0,
  failed_in_row integer not null default 0,
  last_reason text,
  open_since timestamptz,
  open_until timestamptz,
  probe_until timestamptz,
  constraint connection_health_counts check (unavailable_in_row >= 0 and failed_in_row >= unavailable_in_row),
  constraint connection_health_open check ((open_since is null) = (open_until is null)),
  constraint connection_health_probe check (probe_until is null or open_until is not null)
) with (fillfactor = 50);

-- migrate:down

drop table connection_health;

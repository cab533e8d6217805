import type { Queryable } from '../shared/database';

/** Calls to one connection that are wanted now, and its requestsPerSecond. */
export interface PacedCalls {
  connectionId: string;
  calls: number;
  requestsPerSecond: number;
}

export interface Grant {
  calls: number;
  /** Until the next call may start. */
  waitMs: number;
}

/**
 * Grants calls to connections that have a requestsPerSecond, over all replicas: next_call_at moves on by one interval a
 * call. No more can be saved up than one call, or 20 ms worth of them: a bank that counts by the second would see a
 * second's savings and the second itself as twice the rate.
 */
const GRANT = {
  name: 'sync-grant-calls',
  text: `
with asked as (
  select a.connection_id, a.calls, a.per_second,
    greatest(p.next_call_at, now() - make_interval(secs => greatest(0.02, 1 / a.per_second))) as free_from
  from unnest($1::bigint[], $2::integer[], $3::float8[]) as a(connection_id, calls, per_second)
  join connection_pace p on p.connection_id = a.connection_id
  order by a.connection_id
  for update of p
), granted as (
  select connection_id, per_second, free_from,
    greatest(0, least(calls, floor(extract(epoch from now() - free_from) * per_second + 1e-3)))::int as calls
  from asked
)
update connection_pace p set next_call_at = g.free_from + make_interval(secs => g.calls / g.per_second)
from granted g where p.connection_id = g.connection_id
returning p.connection_id, g.calls,
  greatest(0, extract(epoch from p.next_call_at - now()) + 1 / g.per_second)::float8 * 1000 as wait_ms`,
};

/** How many of the wanted calls may start now, by connection. */
export async function grantCalls(db: Queryable, wanted: readonly PacedCalls[]): Promise<Map<string, Grant>> {
  if (wanted.length === 0) return new Map();
  await db.query('insert into connection_pace (connection_id) select unnest($1::bigint[]) on conflict do nothing', [
    wanted.map((w) => w.connectionId),
  ]);
  const rows = await db.query<{ connection_id: string; calls: number; wait_ms: number }>(GRANT, columns(wanted));
  return new Map(rows.map((row) => [row.connection_id, { calls: row.calls, waitMs: Math.ceil(row.wait_ms) }]));
}

/** Gives back granted calls that were not made: nothing was due after all, or the budget forbade it. */
export async function returnCalls(db: Queryable, unused: readonly PacedCalls[]): Promise<void> {
  if (unused.length === 0) return;
  await db.query(
    `update connection_pace p set next_call_at = p.next_call_at - make_interval(secs => u.calls / u.per_second)
from unnest($1::bigint[], $2::integer[], $3::float8[]) as u(connection_id, calls, per_second) where p.connection_id = u.connection_id`,
    columns(unused),
  );
}

function columns(paced: readonly PacedCalls[]): unknown[] {
  return [paced.map((c) => c.connectionId), paced.map((c) => c.calls), paced.map((c) => c.requestsPerSecond)];
}

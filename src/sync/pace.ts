import type { Queryable } from '../shared/database';

/**
 * Grants calls to connections that have a requestsPerSecond, over all replicas: next_call_at moves on by one interval a
 * call, and at most one second's worth (or one call) can have been saved up.
 */
const GRANT = `
with asked as (
  select a.connection_id, a.quota, a.per_second, greatest(coalesce(p.next_call_at, '-infinity'), now() - make_interval(secs => greatest(1, 1 / a.per_second))) as free_from
  from unnest($1::bigint[], $2::integer[], $3::float8[]) as a(connection_id, quota, per_second)
  join connection_pace p on p.connection_id = a.connection_id
  order by a.connection_id
  for update of p
), granted as (
  select connection_id, per_second, free_from,
    greatest(0, least(quota, floor(extract(epoch from now() - free_from) * per_second + 1e-6)))::int as calls
  from asked
)
update connection_pace p set next_call_at = g.free_from + make_interval(secs => g.calls / g.per_second)
from granted g where p.connection_id = g.connection_id
returning p.connection_id, g.calls`;

/** How many of the wanted calls may start now, by connection. */
export async function grantCalls(
  tx: Queryable,
  wanted: readonly { connectionId: string; quota: number; requestsPerSecond: number }[],
): Promise<Map<string, number>> {
  if (wanted.length === 0) return new Map();
  const ids = wanted.map((w) => w.connectionId);
  await tx.query('insert into connection_pace (connection_id) select unnest($1::bigint[]) on conflict do nothing', [
    ids,
  ]);
  const rows = await tx.query<{ connection_id: string; calls: number }>(GRANT, [
    ids,
    wanted.map((w) => w.quota),
    wanted.map((w) => w.requestsPerSecond),
  ]);
  return new Map(rows.map((row) => [row.connection_id, row.calls]));
}

import type { Queryable } from '../shared/database';
import { lookedUp } from '../shared/looked-up';
import type { ClaimQuota } from './subject-state';

/** Rows at the front of a queue that are looked at beside those of the calls themselves: an account may wait in several runs. */
const LOOKED_AT = 1_000;

/** Claims of one connection are made one after the other from here on. In the order of their numbers, so that nobody waits in a circle. */
const LOCK = `select pg_advisory_xact_lock(hashtextextended('failure_room:' || id, 0)) from unnest($1::bigint[]) as c(id)`;

/**
 * Claims go from the front of a queue, so that what is under way stands there. A result ends its claim and counts its failure in one
 * transaction: it is either under way here, or among the failures.
 */
const ROOM = `
select c.id, greatest(1, c.borne - coalesce(h.failed_in_row, 0)) - under_way.calls as room
from unnest($1::bigint[], $2::integer[]) as c(id, borne)
left join connection_health h on h.connection_id = c.id
cross join lateral (
  select count(distinct f.id) filter (where f.lease_until > now())::int as calls from (
    select u.id, u.lease_until from waiting_account s join access_subject u on ${lookedUp('u.id', 's.subject_id')}
    where s.connection_id = c.id and s.connection_id > 0 and s.due_at <= now()
    order by s.due_at, s.run_id, s.account_id limit ${LOOKED_AT} + 4 * c.borne
  ) f
) under_way`;

/**
 * The quotas with no more calls than the failures that each bank still bears, those that all replicas have under way taken off: all of them
 * may fail together. To be called in the transaction of the claim.
 */
export async function withinFailureRoom(tx: Queryable, quotas: readonly ClaimQuota[]): Promise<readonly ClaimQuota[]> {
  const limited = quotas
    .flatMap(({ connectionId: id, failuresBorne: borne }) => (borne === undefined ? [] : [{ id, borne }]))
    .sort((one, other) => (BigInt(one.id) < BigInt(other.id) ? -1 : 1));
  if (limited.length === 0) return quotas;
  const ids = limited.map(({ id }) => id);
  await tx.query(LOCK, [ids]);
  const rows = await tx.query<{ id: string; room: number }>(ROOM, [ids, limited.map(({ borne }) => borne)]);
  const rooms = new Map(rows.map(({ id, room }) => [id, room]));
  return quotas.map((quota) => {
    const room = rooms.get(quota.connectionId);
    return room === undefined ? quota : { ...quota, quota: Math.max(0, Math.min(quota.quota, room)) };
  });
}

import type { Queryable } from '../shared/database';
import { lookedUp, unseen } from '../shared/looked-up';

/** A place in the series of an account and AMLYZE balance type. */
export interface SeriesPlace {
  accountId: string;
  balanceType: string;
  /** RFC 3339, UTC. */
  balanceAt: string;
  /** Of a record; without one the place is behind all that there is at this instant. */
  revision?: number;
}

/** Longer than a transaction that writes lasts; the settlement of the older record ends the wait before. */
const HELD_SECONDS = 5;

const LAST_REVISION = 2_147_483_647;

/**
 * The oldest that could be claimed holds up all behind it. The wait is what makes it hold beyond our commit: a claim that began before, and
 * comes to the row after it, finds no lock and does not see the older record; but it looks again at a row that was changed, and this one is
 * not due any more. What was claimed meanwhile is `sending` when its lock is granted, and left alone.
 */
const HOLD_NEWER = {
  name: 'outbox-hold-newer',
  text: `
update record_state r set next_attempt_at = greatest(r.next_attempt_at, clock_timestamp() + make_interval(secs => ${HELD_SECONDS}))
from unnest(${unseen('$1::bigint[]')}, $2::text[], $3::timestamptz[], $4::integer[]) as w(account_id, balance_type, balance_at, revision)
cross join lateral (
  select o.record_id from record_state o
  where o.account_id = w.account_id and o.balance_type = w.balance_type and o.settled_at is null
    and (o.balance_at, o.revision) > (w.balance_at, coalesce(w.revision, ${LAST_REVISION})) and o.state = 'pending' and not o.in_doubt
  order by o.balance_at, o.revision
  limit 1
) newer
where ${lookedUp('r.record_id', 'newer.record_id')} and r.state = 'pending' and not r.in_doubt`,
};

/**
 * Keeps what is newer and was never sent from being claimed before this transaction ends, for an older record is about to come in front of
 * it. To be called before the look whether AMLYZE has, or may have, a newer one: a claim that was faster shows in that look.
 */
export async function holdNewer(tx: Queryable, places: readonly SeriesPlace[]): Promise<void> {
  if (places.length === 0) return;
  await tx.query(HOLD_NEWER, [
    places.map(({ accountId }) => accountId),
    places.map(({ balanceType }) => balanceType),
    places.map(({ balanceAt }) => balanceAt),
    places.map(({ revision }) => revision ?? null),
  ]);
}

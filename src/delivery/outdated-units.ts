import type { ClaimedRecord } from '../outbox/claimed-record';
import type { Queryable } from '../shared/database';

/**
 * Ids of those balances whose frozen business unit is not the one that a record made today would have: the account's own, else the
 * configured one.
 */
export async function findOutdatedUnits(
  db: Queryable,
  records: readonly ClaimedRecord[],
  configured: string | undefined,
): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ id: string }>(
    `select r.id from amlyze_record r join account a on a.id = r.account_id
where r.id = any($1::bigint[]) and r.business_unit is distinct from coalesce(a.business_unit, $2::text)`,
    [records.map(({ id }) => id), configured ?? null],
  );
  return new Set(rows.map(({ id }) => id));
}

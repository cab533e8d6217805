import type { Queryable } from '../shared/database';
import { ApiProblem } from '../shared/problem';
import type { AccountRow } from './account.row';

/**
 * The business units that are the same as one of an account, as SQL: with AMLYZE_BUSINESS_UNIT none is as good as that one. A list in any
 * case, by which the unique index of these names is asked.
 *
 * @param unit text, empty for none
 * @param configured text, null for none
 */
export function unitsLike(unit: string, configured: string): string {
  return `case when ${unit} in ('', ${configured}) then array['', ${configured}] else array[${unit}] end`;
}

/** Any number that nobody else locks. */
const NAMES_LOCK = 1_796_688_017;

/**
 * Whoever gives an account a name, or opens it again, does so one after the other where no index can tell that two names are one. Not needed
 * without AMLYZE_BUSINESS_UNIT: then two names are one only where the unique index says so.
 */
export async function lockNames(tx: Queryable, configured: string | undefined): Promise<void> {
  if (configured !== undefined) await tx.query('select pg_advisory_xact_lock($1)', [NAMES_LOCK]);
}

/**
 * Refuses an account whose name is that of another one at AMLYZE although they were registered with different units: its balances would be
 * mixed with the other's. After `lockNames` and the account's own write, in one transaction.
 */
export async function refuseSharedName(
  tx: Queryable,
  { id, account_ext_id: accountExtId, business_unit: unit }: AccountRow,
  configured: string | undefined,
): Promise<void> {
  if (configured === undefined) return;
  const [other] = await tx.query<{ id: string; status: string }>(
    `select id, status from account
where coalesce(business_unit, '') = any(${unitsLike('$1::text', '$2::text')}) and account_ext_id = $3 and id <> $4 limit 1`,
    [unit ?? '', configured, accountExtId, id],
  );
  if (!other) return;
  const name = `Account ${other.id}${other.status === 'closed' ? ' (closed)' : ''}`;
  throw ApiProblem.conflict(`${name} is the same account at AMLYZE: ${WHY_SHARED}.`, { conflictsWith: other.id });
}

/** Why two accounts with different business units are one at AMLYZE. */
export const WHY_SHARED =
  'it has this accountExtId, and an account without a business unit is in that of AMLYZE_BUSINESS_UNIT';

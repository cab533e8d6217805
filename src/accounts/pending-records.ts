import type { Queryable } from '../shared/database';
import { lookedUp } from '../shared/looked-up';
import type { AmlyzeName } from './amlyze-account';

/** What became of records that waited for AMLYZE under the name that an account had before. */
export interface PendingRecords {
  /** Never sent, and not sent now. */
  recordsHeld: number;
  /** Sent, or being sent, without an answer yet: AMLYZE may have them. */
  recordsUnderWay: number;
}

export const NO_RECORDS: PendingRecords = { recordsHeld: 0, recordsUnderWay: 0 };

/**
 * Ends with the account's writes: who records a reading holds the subject until its commit, and looks at the account after it has it. To be
 * called before the account is locked.
 */
export async function awaitReadings(tx: Queryable, accountId: string): Promise<void> {
  await tx.query(
    'select from access_subject where id = (select subject_id from account where id = $1) for no key update',
    [accountId],
  );
}

/**
 * Stops the account's records that wait under another name than it has from now on: the usual reason for another name is that the one before
 * was somebody else's. What AMLYZE may have goes on, with its number and its bytes, until an answer says whether it has it.
 */
const HOLD = `
with outdated as materialized (
  select s.record_id from record_state s join amlyze_record r on ${lookedUp('r.id', 's.record_id')}
  where s.account_id = $1 and s.settled_at is null and (r.account_ext_id, r.business_unit) is distinct from ($2, $3)
), held as (
  update record_state s
  set state = 'held', reason = 'ACCOUNT_CHANGED', settled_at = now(), next_attempt_at = null, batch_group = null
  from outdated o where ${lookedUp('s.record_id', 'o.record_id')} and s.state = 'pending' and not s.in_doubt
  returning s.record_id
)
select (select count(*)::int from held) as held, (select count(*)::int from outdated) as outdated`;

/** @param name that the account has from now on */
export async function holdOutdated(
  tx: Queryable,
  accountId: string,
  { accountExtId, businessUnit }: AmlyzeName,
): Promise<PendingRecords> {
  const [row] = await tx.query<{ held: number; outdated: number }>(HOLD, [accountId, accountExtId, businessUnit]);
  if (!row) return NO_RECORDS;
  return { recordsHeld: row.held, recordsUnderWay: row.outdated - row.held };
}

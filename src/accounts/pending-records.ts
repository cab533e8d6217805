import { ACCOUNT_CHANGED, type AmlyzeAccount } from '../shared/amlyze-account';
import type { Queryable } from '../shared/database';
import { lookedUp } from '../shared/looked-up';

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
 * was somebody else's. What AMLYZE may have goes on, with its number and its bytes, until an answer says whether it has it. What is under way
 * is marked: should it come back without having got there, its settlement holds it. One statement for both, so that a record that is claimed
 * at this moment is one or the other. A mark of an earlier change goes where the account has that name again.
 */
const HOLD = `
with unsettled as materialized (
  select s.record_id, (r.account_ext_id, r.business_unit) is distinct from ($2, $3) as outdated
  from record_state s join amlyze_record r on ${lookedUp('r.id', 's.record_id')}
  where s.account_id = $1 and s.settled_at is null
), stopped as (
  update record_state s
  set state = case s.state when 'pending' then 'held' else s.state end, reason = '${ACCOUNT_CHANGED}',
    settled_at = case s.state when 'pending' then now() end, next_attempt_at = case s.state when 'sending' then s.next_attempt_at end,
    batch_group = case s.state when 'sending' then s.batch_group end
  from unsettled u
  where ${lookedUp('s.record_id', 'u.record_id')} and u.outdated and (s.state = 'sending' or (s.state = 'pending' and not s.in_doubt))
  returning s.state
), unmarked as (
  update record_state s set reason = null
  from unsettled u
  where ${lookedUp('s.record_id', 'u.record_id')} and not u.outdated and s.state = 'sending' and s.reason = '${ACCOUNT_CHANGED}'
)
select (select count(*)::int from stopped where state = 'held') as held, (select count(*)::int from unsettled where outdated) as outdated`;

/** @param account as AMLYZE is to see it from now on */
export async function holdOutdated(
  tx: Queryable,
  accountId: string,
  { accountExtId, businessUnit }: AmlyzeAccount,
): Promise<PendingRecords> {
  const [row] = await tx.query<{ held: number; outdated: number }>(HOLD, [
    accountId,
    accountExtId,
    businessUnit ?? null,
  ]);
  if (!row) return NO_RECORDS;
  return { recordsHeld: row.held, recordsUnderWay: row.outdated - row.held };
}

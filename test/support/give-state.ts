import type { Queryable } from '../../src/shared/database';

/**
 * Gives a state to every record that has none, for tests that put records in by the thousand or as no code of ours would.
 *
 * @param columns of record_state with SQL for each, in which `r` is the record; what is not named is as a new record has it
 */
export async function giveState(db: Queryable, columns: Readonly<Record<string, string>> = {}): Promise<void> {
  const own = {
    channel: 'r.channel',
    account_id: 'r.account_id',
    balance_type: 'r.balance_type',
    balance_at: 'r.balance_at',
    revision: 'r.revision',
    run_id: 'r.run_id',
    card_data: `case when r.payload is null then 'shredded' when r.sealed then 'kept' end`,
    created_at: 'r.created_at',
    ...columns,
  };
  await db.query(
    `insert into record_state (record_id, ${Object.keys(own).join(', ')})
select r.id, ${Object.values(own).join(', ')} from amlyze_record r
where (select true from record_state s where s.record_id = any(array[r.id])) is null order by r.id`,
  );
}

/** `giveState` for records that are settled, accepted unless told otherwise. */
export function settledAs(state = 'accepted'): Record<string, string> {
  const reason = state === 'accepted' ? 'null' : `'TEST'`;
  return { state: `'${state}'`, reason, next_attempt_at: 'null', settled_at: 'now()' };
}

/** `giveState` for records that are under way with an attempt, which need not exist. */
export function sendingWith(attemptId: string): Record<string, string> {
  return { state: `'sending'`, in_doubt: 'true', claims: '1', attempt_id: attemptId };
}

import type { RecordState, RequeueableState } from './record-state';

/** What lists ask for beside accepted records, which nearly all are: still open, or in need of a person. Column of record_state. */
export type Standing = 'open' | RequeueableState;

/** Undefined for an accepted record. */
export function standingOf(state: RecordState): Standing | undefined {
  if (state === 'accepted') return undefined;
  return state === 'pending' || state === 'sending' ? 'open' : state;
}

/**
 * Records behind `afterId` that stand so, for a list that is ordered by `standing, record_id`. As an equality the standing would be
 * no part of the order, and the primary key would do for it: where a third of all records wait, the planner believes that one in
 * three is found there, and reads all that was accepted before the first of them, for a backlog is always the newest.
 *
 * @param standing a parameter or a literal; `afterId` likewise
 * @param alias of record_state in the statement
 */
export function standingBehind(standing: string, afterId: string, alias: string): string {
  return `(${alias}.standing, ${alias}.record_id) > (${standing}, ${afterId}) and ${alias}.standing <= ${standing}`;
}

/**
 * Records behind `afterId` in a state other than accepted, for a list that is ordered by `state, id`. As an equality the state
 * would be no part of the order, and the primary key would do for it: where a third of all records wait, the planner believes
 * that one in three is found there, and reads all that was accepted before the first of them, for a backlog is always the newest.
 *
 * @param state a parameter or a literal; `afterId` likewise
 * @param alias of amlyze_record in the statement
 */
export function inState(state: string, afterId: string, alias: string): string {
  return `(${alias}.state, ${alias}.id) > (${state}, ${afterId}) and ${alias}.state <= ${state} and ${alias}.state <> 'accepted'`;
}

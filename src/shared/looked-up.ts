/**
 * The join of a row that is looked up by its key: `key` has an index, `value` comes from the few rows of a list or of a claim.
 *
 * A plain equality would also be an order to merge by, and where the planner believes that the table holds one row (it was
 * analyzed while it was empty, say) it may as well read the whole key in order and compare each row with each of the list. It keeps that
 * plan while the table grows. Membership in a list of one is a condition for an index and for nothing else; see
 * docs/decisions/0012-one-index-a-question.md.
 */
export function lookedUp(key: string, value: string): string {
  return `${key} = any(array[${value}])`;
}

/**
 * A parameter that the planner does not look at. A list that is short at the moment makes a plan of its own look cheaper than
 * one for any list: then none is ever kept, and each call is planned anew, for half a millisecond.
 */
export function unseen(parameter: string): string {
  return `(select ${parameter})`;
}

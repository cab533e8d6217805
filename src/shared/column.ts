/**
 * One field of many rows, as the list that `unnest` takes; null where no row has it. `unnest` fills up a list that is not there, so
 * that nothing is written, sent and read for each row only to say that there is nothing.
 */
export function columnOf<R, T>(rows: readonly R[], pick: (row: R) => T | null | undefined): (T | null)[] | null {
  const values = rows.map((row) => pick(row) ?? null);
  return values.some((value) => value !== null) ? values : null;
}

/** The day of a read in UTC, as the ledger's index has it: reads of one day stand side by side, whoever was read. */
export function readDay(ledger: string): string {
  return `(${ledger}.read_at at time zone 'UTC')::date`;
}

/**
 * The days in UTC from an instant until now. Until this very moment and not `now()`: a claim that waited for another's lock
 * over midnight has to see that one's read.
 */
export function daysSince(instant: string): string {
  const first = `((${instant}) at time zone 'UTC')::date`;
  return `array(select ${first} + n from generate_series(0, (clock_timestamp() at time zone 'UTC')::date - ${first}) n)`;
}

/** The day of a read in UTC, as the ledger's index has it: reads of one day stand side by side, whoever was read. */
export function readDay(ledger: string): string {
  return `(${ledger}.read_at at time zone 'UTC')::date`;
}

/**
 * The days in UTC from an instant until tomorrow: a claim that waited for another's lock over midnight has to see that one's read,
 * and so has a server whose clock was set back.
 */
export function daysSince(instant: string): string {
  const first = `((${instant}) at time zone 'UTC')::date`;
  return `array(select ${first} + n from generate_series(0, (now() at time zone 'UTC')::date + 1 - ${first}) n)`;
}

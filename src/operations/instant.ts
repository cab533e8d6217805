const INSTANT = /^(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(Z|[+-]\d\d:[0-5]\d)$/;
/** The largest offset that AMLYZE's platform, Java, can hold; the world uses up to 14 hours. */
const MAX_OFFSET_MINUTES = 18 * 60;

/** Milliseconds since 1970 of an RFC 3339 time with offset; undefined for anything else, 30 February included. */
export function instantMs(text: string): number | undefined {
  const [, date = '', offset = 'Z'] = INSTANT.exec(text) ?? [];
  if (!isCalendarDate(date)) return undefined;
  const offsetMinutes = offset === 'Z' ? 0 : Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4));
  return offsetMinutes > MAX_OFFSET_MINUTES ? undefined : Date.parse(text);
}

/** The same text for the same instant: UTC, the fraction of the second without trailing zeros. */
export function canonicalInstant(text: string): string {
  const ms = instantMs(text);
  if (ms === undefined) throw new TypeError('not an RFC 3339 time with offset');
  const fraction = (/\.(\d+)/.exec(text)?.[1] ?? '').replace(/0+$/, '');
  const seconds = new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19);
  return `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** Whether `YYYY-MM-DD` is a day of the calendar, from year 1 on. */
export function isCalendarDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || text.startsWith('0000')) return false;
  const date = new Date(`${text}T00:00:00Z`);
  // A day that the month lacks is carried into the next month, or is invalid.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

const INSTANT = /^(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(Z|[+-]\d\d:[0-5]\d)$/;
/** The largest offset that AMLYZE's platform, Java, can hold; the world uses up to 14 hours. */
const MAX_OFFSET_MINUTES = 18 * 60;
/** An offset can carry a time of year 1 or 9999 out of the years that RFC 3339 can write. */
const FIRST_MS = Date.parse('0001-01-01T00:00:00Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * Milliseconds since 1970 of an RFC 3339 time with offset; undefined for anything else, 30 February and what lies in UTC outside the
 * years 1 to 9999 included.
 */
export function instantMs(text: string): number | undefined {
  const [, date = '', offset = 'Z'] = INSTANT.exec(text) ?? [];
  if (!isCalendarDate(date)) return undefined;
  const offsetMinutes = offset === 'Z' ? 0 : Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4));
  if (offsetMinutes > MAX_OFFSET_MINUTES) return undefined;
  const ms = Date.parse(text);
  return ms >= FIRST_MS && ms <= LAST_MS ? ms : undefined;
}

/**
 * The same instant in UTC, to the millisecond: Postgres reads no offset of 16 hours and more, and rounds what is finer than its own
 * microseconds up, into year 10000 even.
 */
export function utcInstant(text: string): string {
  return new Date(knownMs(text)).toISOString();
}

/** The same text for the same instant: UTC, the fraction of the second without trailing zeros. */
export function canonicalInstant(text: string): string {
  const ms = knownMs(text);
  const fraction = (/\.(\d+)/.exec(text)?.[1] ?? '').replace(/0+$/, '');
  const seconds = new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19);
  return `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`;
}

function knownMs(text: string): number {
  const ms = instantMs(text);
  if (ms === undefined) throw new TypeError('not an RFC 3339 time with offset');
  return ms;
}

/** Whether `YYYY-MM-DD` is a day of the calendar, from year 1 on. */
export function isCalendarDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || text.startsWith('0000')) return false;
  const date = new Date(`${text}T00:00:00Z`);
  // A day that the month lacks is carried into the next month, or is invalid.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

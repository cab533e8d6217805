const INSTANT = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;
/** The largest offset that AMLYZE's platform, Java, can hold; the world uses up to 14 hours. */
const MAX_OFFSET_MINUTES = 18 * 60;

/** Milliseconds since 1970 of an RFC 3339 time with offset; undefined for anything else, 30 February included. */
export function instantMs(text: string): number | undefined {
  const [, year, month, day, hour, minute, second, fraction = '', offset = ''] = INSTANT.exec(text) ?? [];
  if (year === undefined || !isCalendarDate(`${year}-${String(month)}-${String(day)}`)) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const [sign, hours, minutes] = offset === 'Z' ? ['+', 0, 0] : [offset[0], +offset.slice(1, 3), +offset.slice(4)];
  const offsetMinutes = hours * 60 + minutes;
  if (minutes > 59 || offsetMinutes > MAX_OFFSET_MINUTES) return undefined;
  const local = Date.UTC(+year, Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  return local + Number(fraction.padEnd(3, '0').slice(0, 3)) - (sign === '-' ? -1 : 1) * offsetMinutes * 60_000;
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

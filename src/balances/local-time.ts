const DAY_MS = 86_400_000;

/** One formatter a zone: making one costs a hundred times what using it does. Zones come from settings, so they are few. */
const formatters = new Map<string, Intl.DateTimeFormat>();

/**
 * The instants at which clocks in an IANA zone show the given local time: one, none where a clock was put forward over
 * it, two where it was put back. `clockMs` is the local time written as if it were UTC. Throws RangeError for a zone
 * that does not exist.
 */
export function instantsOfLocalTime(clockMs: number, timeZone: string): number[] {
  // A zone is at most 15 hours away from UTC, so the offset in force is that of a day before or of a day after.
  const offsets = new Set([offsetAt(clockMs - DAY_MS, timeZone), offsetAt(clockMs + DAY_MS, timeZone)]);
  const instants = [...offsets].map((offset) => clockMs - offset);
  return instants.filter((instant) => instant + offsetAt(instant, timeZone) === clockMs);
}

/** What clocks in the zone are ahead of UTC at an instant, in milliseconds. */
function offsetAt(instant: number, timeZone: string): number {
  const fields: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of formatterOf(timeZone).formatToParts(instant)) fields[type] = Number(value);
  const { year = 0, month = 1, day, hour, minute, second } = fields;
  const wholeSeconds = instant - (((instant % 1000) + 1000) % 1000);
  return Date.UTC(year, month - 1, day, hour, minute, second) - wholeSeconds;
}

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known !== undefined) return known;
  const formatter = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formatters.set(timeZone, formatter);
  return formatter;
}

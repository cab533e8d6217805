import type { JsonValue } from '../shared/json';
import { instantsOfLocalTime } from './local-time';
import { Refusal } from './outcome';
import { show } from './show';

const MAX_AHEAD_MS = 5 * 60_000;

/** RFC 3339; the offset may be absent, and may stand without colon, as Java's SimpleDateFormat writes it (`+0300`). */
const DATE_TIME =
  /^(?<date>\d{4}-\d\d-\d\d)[Tt](?<clock>\d\d:\d\d:\d\d)(?:\.(?<fraction>\d+))?(?<offset>[Zz]|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?$/;

export interface TimeSettings {
  /** IANA zone in which times without offset are read; undefined refuses them. */
  timeZone: string | undefined;
  fetchedAt: Date;
}

/** The bank's instant in UTC with milliseconds; finer digits are cut. Refuses what is no instant, or a future one. */
export function readBalanceAt(dateTime: JsonValue | undefined, settings: TimeSettings): string | Refusal {
  const parts = typeof dateTime === 'string' ? DATE_TIME.exec(dateTime)?.groups : undefined;
  const clockMs = parts && clockTime(parts);
  if (clockMs === undefined) {
    return invalid(`The balance's time is ${show(dateTime)}, not a date and time such as 2026-01-31T12:00:00Z.`);
  }
  const offset = parts?.['offset'];
  const instant = offset === undefined ? inZone(clockMs, settings.timeZone) : clockMs - offsetMs(offset);
  if (instant instanceof Refusal) return instant;
  if (instant > settings.fetchedAt.getTime() + MAX_AHEAD_MS) {
    return invalid(`The balance's time ${show(dateTime)} is more than 5 minutes later than its fetch.`);
  }
  return new Date(instant).toISOString();
}

/** Date and clock as if they were UTC; undefined for a 30 February, an hour 24, a leap second, a year before 1970. */
function clockTime({ date = '', clock = '', fraction = '' }: Partial<Record<string, string>>): number | undefined {
  // Years before the epoch are how systems write "no time" (0001-01-01), and no balance is that old.
  if (date < '1970') return undefined;
  const clockMs = Date.parse(`${date}T${clock}.${fraction.slice(0, 3).padEnd(3, '0')}Z`);
  // The engine turns 30 February into 1 March, so the date has to come back as it went in.
  const exists = !Number.isNaN(clockMs) && new Date(clockMs).toISOString().startsWith(`${date}T${clock}`);
  return exists ? clockMs : undefined;
}

function offsetMs(offset: string): number {
  if (offset.toLowerCase() === 'z') return 0;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(-2));
  return (offset.startsWith('-') ? -minutes : minutes) * 60_000;
}

function inZone(clockMs: number, timeZone: string | undefined): number | Refusal {
  const local = new Date(clockMs).toISOString().slice(0, -1);
  if (timeZone === undefined) {
    return invalid(`The balance's time ${local} has no offset, and the connection has no timeZone to read it in.`);
  }
  const [instant, second] = instantsOfLocalTime(clockMs, timeZone);
  if (instant === undefined) return invalid(`The balance's local time ${local} does not exist in ${timeZone}.`);
  if (second !== undefined) return invalid(`The balance's local time ${local} exists twice in ${timeZone}.`);
  return instant;
}

function invalid(reason: string): Refusal {
  return new Refusal('INVALID_PAYLOAD', reason);
}

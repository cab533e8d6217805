import { CURRENCIES } from '../shared/currencies';
import { FAIL_POINTS, type FailPoint } from '../shared/fail-point';
import { CLIENT_HEADERS } from '../shared/http/request-check';
import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { CronTime } from 'cron';
import { Malformed, type Parse } from './variable';

export interface EncryptionKey {
  id: string;
  key: Buffer;
}

export interface Endpoint {
  method: 'POST' | 'PUT';
  path: string;
}

export function wholeNumber(min: number, max: number): Parse<number> {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max
      ? value
      : new Malformed(`must be a whole number from ${String(min)} to ${String(max)}`);
  };
}

export function oneOf<T extends string>(...allowed: readonly T[]): Parse<T> {
  const problem = allowed.length === 1 ? `must be ${allowed[0]} or left out` : `must be one of ${allowed.join(', ')}`;
  return (text) => allowed.find((value) => value === text) ?? new Malformed(problem);
}

export function flag(text: string): boolean | Malformed {
  if (text === 'true') return true;
  return text === 'false' ? false : new Malformed('must be true or false');
}

export function matching(pattern: RegExp, meaning: string): Parse<string> {
  return (text) => (pattern.test(text) ? text : new Malformed(`must be ${meaning}`));
}

const isText = (text: string, maxUnits: number): boolean => text.length <= maxUnits && /^[^\p{Cc}]+$/u.test(text);

/** Measured as the records that carry it are, in UTF-16 units: a longer one would stop every record after the start. */
export function text(maxUnits: number): Parse<string> {
  return (given) =>
    isText(given, maxUnits)
      ? given
      : new Malformed(
          `must be at most ${maxUnits} characters without control characters, counted in UTF-16 units (an emoji is two)`,
        );
}

export function host(text: string): string | Malformed {
  const ok = isIP(text) !== 0 || /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(text);
  return ok ? text : new Malformed('must be an IP address or a host name to listen on');
}

const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'];
const SSL_FILES = ['sslrootcert', 'sslcert', 'sslkey'];
const DATABASE_PARAMETERS = ['sslmode', ...SSL_FILES];

/**
 * Where TLS is asked for at all the server's certificate and name are verified; modes that fall back silently are refused. So is any
 * other parameter: a misspelt sslmode would leave TLS out, and the driver lets others take the place of the limits of our sessions.
 */
export function databaseUrl(text: string): string | Malformed {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const readable = url && isDecodable(url.username) && isDecodable(url.password);
  if (!readable || !/^postgres(ql)?:$/.test(url.protocol) || url.hostname === '' || url.pathname.length < 2) {
    return new Malformed(
      'must be postgres://user:password@host:port/database, in which / : @ # ? % of a password are written %2F %3A %40 %23 %3F %25',
    );
  }
  const query = url.searchParams;
  if (query.has('uselibpqcompat') || query.has('ssl')) {
    return new Malformed('must ask for TLS by sslmode, not by ssl or uselibpqcompat');
  }
  const names = [...query.keys()];
  if (names.some((name) => !DATABASE_PARAMETERS.includes(name)) || new Set(names).size !== names.length) {
    return new Malformed(`must have no parameters but ${DATABASE_PARAMETERS.join(', ')}, each once`);
  }
  if (names.length === 0) return text;
  const mode = query.get('sslmode');
  if (mode !== null && !SSL_MODES.includes(mode))
    return new Malformed(`sslmode must be one of ${SSL_MODES.join(', ')}`);
  for (const name of SSL_FILES) {
    const file = query.get(name);
    if (file !== null && contentOf(file) === undefined) return new Malformed(`its ${name} file cannot be read`);
  }
  if (mode !== 'disable') query.set('sslmode', 'verify-full');
  return url.toString();
}

function isDecodable(part: string): boolean {
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}

export function adminKey(text: string): string | Malformed {
  return /^[\x21-\x7e][\x20-\x7e]{30,}[\x21-\x7e]$/.test(text)
    ? text
    : new Malformed('must be at least 32 characters that an HTTP header can carry');
}

/** Fewer different bytes than this in 32 is no chance: random keys have more than 20. */
const LEAST_DIFFERENT_BYTES = 12;

export function encryptionKeys(text: string): EncryptionKey[] | Malformed {
  const keys: EncryptionKey[] = [];
  for (const part of text.split(',').map((entry) => entry.trim())) {
    const [, id, encoded] = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=)$/.exec(part) ?? [];
    if (id === undefined || encoded === undefined) {
      return new Malformed('must be id:base64 of 32 bytes, several separated by commas (openssl rand -base64 32)');
    }
    const key = Buffer.from(encoded, 'base64');
    if (new Set(key).size < LEAST_DIFFERENT_BYTES) return new Malformed('holds a key that is not random');
    if (keys.some((other) => other.id === id)) return new Malformed('uses one key id twice');
    if (keys.some((other) => other.key.equals(key))) return new Malformed('holds one key twice');
    keys.push({ id, key });
  }
  return keys;
}

/** A header value without blanks, as a token has to be (RFC 9110, 5.6.2 and RFC 6750, 2.1). */
export function token(text: string): string | Malformed {
  return /^[\x21-\x7e]+$/.test(text) ? text : new Malformed('must be printable ASCII without blanks');
}

/** What cannot be a token would otherwise be told by the first record that has to wait for it. */
export function tokenFile(file: string): string | Malformed {
  const content = contentOf(file)?.trim();
  if (content === undefined) return new Malformed('names a file that cannot be read');
  if (content === '') return new Malformed('names a file that is empty');
  const held = token(content);
  return held instanceof Malformed ? new Malformed(`names a file that holds no token: it ${held.problem}`) : file;
}

/** Beside those that the client keeps for itself, and would refuse at every call. */
const OWN_HEADERS = new Set([...CLIENT_HEADERS, 'authorization', 'content-type', 'content-encoding', 'accept']);

export function header(text: string): { name: string; value: string } | Malformed {
  const [, name, value] =
    /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) return new Malformed('must be "Name: value"');
  return OWN_HEADERS.has(name.toLowerCase())
    ? new Malformed('names a header that the gateway or HTTP itself sets')
    : { name, value };
}

export function endpoint(text: string): Endpoint | Malformed {
  const [, method, path] = /^(POST|PUT) (\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)$/.exec(text) ?? [];
  if ((method === 'POST' || method === 'PUT') && path !== undefined && !path.includes('..')) return { method, path };
  return new Malformed('must be "POST /path" or "PUT /path"');
}

/** Five fields, or six with seconds first; and it has to come due at some time (30 February never does). */
export function cronExpression(text: string): string | Malformed {
  const fields = text.trim().split(/\s+/).length;
  if (fields !== 5 && fields !== 6) return new Malformed('must be a cron expression of five or six fields');
  try {
    new CronTime(text, 'UTC').sendAt();
    return text;
  } catch {
    return new Malformed('must be a cron expression that comes due');
  }
}

/** One that rates can be loaded for. */
export function currency(text: string): string | Malformed {
  return CURRENCIES.has(text) ? text : new Malformed('must be an ISO 4217 currency code such as EUR');
}

/** AMLYZE's codes, separated by commas. */
export function codes(text: string): readonly string[] | Malformed {
  const list = text.split(',').map((code) => code.trim());
  const malformed = list.some((code) => !isText(code, 255));
  if (malformed) return new Malformed('must be codes of 1 to 255 characters, separated by commas');
  return new Set(list).size === list.length ? list : new Malformed('holds one code twice');
}

/** Codes of one form, and `ISO` for all of a standard. Any other word could never be met in an operation, and all would be refused. */
export function codesOrIso({ form, meaning, standard, example }: CodeForm): Parse<readonly string[]> {
  return (text) => {
    const list = text.split(',').map((code) => code.trim());
    return list.every((code) => code === 'ISO' || form.test(code))
      ? codes(text)
      : new Malformed(
          `must be ISO (all of ${standard}) or codes of ${meaning}, separated by commas; to add a code of your own write ISO,${example}`,
        );
  };
}

interface CodeForm {
  form: RegExp;
  /** Completes "codes of". */
  meaning: string;
  standard: string;
  example: string;
}

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const LONGEST_DURATION_MS = 30 * UNIT_MS.d;

/** In milliseconds; at most 30 days. */
export function duration(text: string): number | Malformed {
  const [, count, unit] = /^(\d{1,7})([smhd])$/.exec(text) ?? [];
  const ms = unit === undefined ? Number.NaN : Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  return ms > 0 && ms <= LONGEST_DURATION_MS
    ? ms
    : new Malformed('must be a duration of at most 30 days such as 30m, 24h or 7d');
}

function contentOf(file: string): string | undefined {
  try {
    // Opening a pipe would wait for its writer, and a device may have no end.
    return statSync(file).isFile() ? readFileSync(file, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

export function failPoints(text: string): FailPoint[] | Malformed {
  const names = text.split(',').map((name) => name.trim());
  const known = names.filter((name): name is FailPoint => (FAIL_POINTS as readonly string[]).includes(name));
  return known.length === names.length ? known : new Malformed(`must be a list of ${FAIL_POINTS.join(', ')}`);
}

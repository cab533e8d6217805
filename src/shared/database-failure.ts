import { errorCode, errorMessage } from './error-code';

/**
 * What a failed database call means for the caller:
 * - `unavailable`: no session, or the session is gone; try again later, readiness is lost
 * - `timeout`: the database answers too slowly, or a lock was not granted in time; try again later
 * - `full`: no disk space or another resource is used up; back off, nothing was stored
 * - `conflict`: deadlock or serialization failure; the same work may be repeated at once
 * - `other`: a fault of the statement or a broken constraint; repeating does not help
 */
export type DatabaseFailure = 'unavailable' | 'timeout' | 'full' | 'conflict' | 'other';

// Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
const BY_CODE: ReadonlyMap<string, DatabaseFailure> = new Map([
  ['57P01', 'unavailable'], // admin_shutdown
  ['57P02', 'unavailable'], // crash_shutdown
  ['57P03', 'unavailable'], // cannot_connect_now: starting up, shutting down, in recovery
  ['57P05', 'unavailable'], // idle_session_timeout
  ['25P03', 'unavailable'], // idle_in_transaction_session_timeout ends the session
  ['25006', 'unavailable'], // read_only_sql_transaction: a replica after a failover
  ['3D000', 'unavailable'], // the database does not exist (yet)
  ['57014', 'timeout'], // statement_timeout
  ['55P03', 'timeout'], // lock_timeout
  ['40001', 'conflict'],
  ['40P01', 'conflict'],
  ['ECONNREFUSED', 'unavailable'],
  ['ECONNRESET', 'unavailable'],
  ['EPIPE', 'unavailable'],
  ['ETIMEDOUT', 'unavailable'],
  ['ENOTFOUND', 'unavailable'],
  ['EAI_AGAIN', 'unavailable'],
  ['EHOSTUNREACH', 'unavailable'],
  ['ENETUNREACH', 'unavailable'],
]);

const BY_CLASS: ReadonlyMap<string, DatabaseFailure> = new Map([
  ['08', 'unavailable'], // connection exception
  ['28', 'unavailable'], // login refused, e.g. during a password rotation
  ['53', 'full'], // insufficient resources: disk full 53100, too many connections 53300
  ['58', 'full'], // system error outside Postgres, e.g. I/O error
]);

/** node-postgres reports these without a code. */
const BY_MESSAGE: readonly (readonly [RegExp, DatabaseFailure])[] = [
  [/^Query read timeout$/, 'timeout'],
  [/timeout exceeded when trying to connect|timeout expired|due to connection timeout/, 'unavailable'],
  [/^Connection terminated|^Client has encountered a connection error|^Client was closed/, 'unavailable'],
  [/^Cannot use a pool after calling end|not queryable/, 'unavailable'],
];

export function classifyDatabaseFailure(error: unknown): DatabaseFailure {
  const { code, message } = describe(error);
  const known = BY_CODE.get(code) ?? (/^[0-9A-Z]{5}$/.test(code) ? BY_CLASS.get(code.slice(0, 2)) : undefined);
  return known ?? BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1] ?? 'other';
}

/** True where waiting helps: the database is away, slow or full. Back off and keep the work. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const failure = classifyDatabaseFailure(error);
  return failure === 'unavailable' || failure === 'timeout' || failure === 'full';
}

/** True where the same work may be repeated: the database is unavailable as above, or it broke off one of two that stood in each other's way. */
export function mayBeRepeated(error: unknown): boolean {
  return classifyDatabaseFailure(error) !== 'other';
}

/** True where the session cannot be used again, so that it must not go back into the pool. */
export function isConnectionLost(error: unknown): boolean {
  const { code, message } = describe(error);
  return classifyDatabaseFailure(error) === 'unavailable' ? code !== '25006' : message === 'Query read timeout';
}

/** Postgres' code, or Node's; '' where there is none. */
export function databaseFailureCode(error: unknown): string {
  return describe(error).code;
}

/** The driver's own words; of a failed login or connection they name host and user, never the password. */
export function databaseFailureText(error: unknown): string {
  const { message } = describe(error);
  return message === '' ? 'no answer' : message;
}

/** TypeORM wraps the driver's error, Node a failed connection to several addresses; the inner one says it best. */
function describe(error: unknown): { code: string; message: string } {
  if (typeof error === 'object' && error !== null) {
    if ('driverError' in error) return describe(error.driverError);
    if ('errors' in error && Array.isArray(error.errors) && error.errors.length > 0) return describe(error.errors[0]);
  }
  return { code: errorCode(error), message: errorMessage(error) };
}

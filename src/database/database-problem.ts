import type { DatabaseVariable } from '../config/environment';
import { classifyDatabaseFailure, databaseFailureCode, databaseFailureText } from '../shared/database-failure';
import { StartProblem } from '../shared/start-problem';

const NAMES: Readonly<Record<DatabaseVariable, string>> = { DATABASE_URL: 'the database', DATA_DIR: 'its Postgres' };

/** What an operator can do about a refusal of Postgres, by its code. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['42501', 'the role of the gateway has to own its schema'],
  ['42P07', 'the gateway needs a database, or a schema, of its own'],
  ['25006', 'the gateway has to reach the primary, and to be allowed to write'],
]);

/** The embedded one has no role and no host that an operator could put right. */
const EMBEDDED_REMEDY =
  'its Postgres is for the gateway alone: take back what was changed in it, or use another DATA_DIR';

/**
 * Why the start ends, where the database is to blame and can be put right; an error of another kind comes back as it is.
 *
 * @param variable by which the operator says which database it is
 */
export function explainDatabaseFailure(error: unknown, variable: DatabaseVariable): unknown {
  if (error instanceof StartProblem) return error;
  const known = REMEDIES.get(databaseFailureCode(error));
  const failure = classifyDatabaseFailure(error);
  if (known === undefined && failure === 'other') return error;
  const words = databaseFailureText(error);
  const line =
    known === undefined
      ? `${NAMES[variable]} failed during the start (${failure}: ${words})`
      : `${words}; ${variable === 'DATA_DIR' ? EMBEDDED_REMEDY : known}`;
  return new StartProblem([`${variable}: ${line}`], { cause: error });
}

/** Why no session could be opened at the start. */
export function explainUnreachable(cause: unknown, variable: DatabaseVariable): StartProblem {
  const text = databaseFailureText(cause);
  // The driver's own words for an absent password do not say where it is missing.
  const words = /client password must be a string/.test(text)
    ? 'cannot be reached: the server asks for a password, and the URL has none'
    : `cannot be reached (${classifyDatabaseFailure(cause)}: ${text})`;
  return new StartProblem([`${variable}: ${NAMES[variable]} ${words}`], { cause });
}

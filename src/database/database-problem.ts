import { classifyDatabaseFailure, databaseFailureCode, databaseFailureText } from '../shared/database-failure';
import { StartProblem } from '../shared/start-problem';

/** What an operator can do about a refusal of Postgres, by its code. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['42501', 'the role of the gateway has to own its schema'],
  ['42P07', 'the gateway needs a database, or a schema, of its own'],
  ['25006', 'the gateway has to reach the primary, and to be allowed to write'],
]);

/** Why the start ends, where the database is to blame and can be put right; an error of another kind comes back as it is. */
export function explainDatabaseFailure(error: unknown): unknown {
  if (error instanceof StartProblem) return error;
  const remedy = REMEDIES.get(databaseFailureCode(error));
  const failure = classifyDatabaseFailure(error);
  if (remedy === undefined && failure === 'other') return error;
  const words = databaseFailureText(error);
  const line =
    remedy === undefined ? `the database failed during the start (${failure}: ${words})` : `${words}; ${remedy}`;
  return new StartProblem([`DATABASE_URL: ${line}`], { cause: error });
}

/** Why no session could be opened at the start. */
export function explainUnreachable(cause: unknown): StartProblem {
  const text = databaseFailureText(cause);
  // The driver's own words for an absent password do not say where it is missing.
  const words = /client password must be a string/.test(text)
    ? 'cannot be reached: the server asks for a password, and the URL has none'
    : `cannot be reached (${classifyDatabaseFailure(cause)}: ${text})`;
  return new StartProblem([`DATABASE_URL: the database ${words}`], { cause });
}

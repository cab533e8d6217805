import { lostAnswer } from './01-lost-answer';
import { halfCommitted } from './02-half-committed';
import { deathBeforeSend } from './03-death-before-send';
import { deathBeforeMark } from './04-death-before-mark';
import { zombie } from './05-zombie';
import { oneRun } from './06-one-run';
import { postgresDies } from './07-postgres-dies';
import { postgresHangs } from './08-postgres-hangs';
import { loginPage } from './09-login-page';
import { slowDrip } from './10-slow-drip';
import { retryAfter } from './11-retry-after';
import { clocks } from './12-clocks';
import { tokenExpiry } from './13-token-expiry';
import { poison } from './14-poison';
import { resultLists } from './15-result-lists';
import { digits } from './16-digits';
import { hugeBodies } from './17-huge-bodies';
import { collision } from './19-collision';
import { rolling } from './20-rolling';
import { diskFull } from './21-disk-full';
import { sessionsUsedUp } from './22-sessions-used-up';
import { consentEnds } from './23-consent-ends';
import { tornAnswers } from './25-torn-answers';
import type { Scenario } from './scenario';

/** Every scenario, in the order of the table of faults. */
export const SCENARIOS: readonly Scenario[] = [
  lostAnswer,
  halfCommitted,
  deathBeforeSend,
  deathBeforeMark,
  zombie,
  oneRun,
  postgresDies,
  postgresHangs,
  loginPage,
  slowDrip,
  retryAfter,
  clocks,
  tokenExpiry,
  poison,
  resultLists,
  digits,
  hugeBodies,
  collision,
  rolling,
  diskFull,
  sessionsUsedUp,
  consentEnds,
  tornAnswers,
];

/** Those that npm test runs too, with fewer accounts. */
export const REDUCED: readonly number[] = [1, 3, 4, 5, 14, 15, 16];

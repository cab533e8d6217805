import { lostAnswer } from './01-lost-answer';
import { halfCommitted } from './02-half-committed';
import { deathBeforeSend } from './03-death-before-send';
import { deathBeforeMark } from './04-death-before-mark';
import { zombie } from './05-zombie';
import { oneRun } from './06-one-run';
import { poison } from './14-poison';
import { resultLists } from './15-result-lists';
import { collision } from './19-collision';
import type { Scenario } from './scenario';

/** Every scenario, in the order of the table of faults. */
export const SCENARIOS: readonly Scenario[] = [
  lostAnswer,
  halfCommitted,
  deathBeforeSend,
  deathBeforeMark,
  zombie,
  oneRun,
  poison,
  resultLists,
  collision,
];

/** Those that npm test runs too, with fewer accounts. */
export const REDUCED: readonly number[] = [1, 3, 4, 5, 14, 15, 16];

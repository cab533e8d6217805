import { lostAnswer } from './01-lost-answer';
import type { Scenario } from './scenario';

/** Every scenario, in the order of the table of faults. */
export const SCENARIOS: readonly Scenario[] = [lostAnswer];

/** Those that npm test runs too, with fewer accounts. */
export const REDUCED: readonly number[] = [1, 3, 4, 5, 14, 15, 16];

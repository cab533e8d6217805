/**
 * What a figure has to be: a floor or a ceiling. `reached`: what it is so far where that falls short of the target; a
 * change is judged by it, because a check that fails every day is no check.
 */
export type Target = { atLeast: number; reached?: number } | { atMost: number; reached?: number };

/** One measured thing: a value for each round, in the order of the rounds. */
export interface Figure {
  name: string;
  unit: string;
  rounds: readonly number[];
  target?: Target;
}

export interface Summary {
  median: number;
  min: number;
  max: number;
}

/** `failed` is so far from the target that noise cannot be the reason; see FAILED_BELOW. */
export type Verdict = 'met' | 'missed' | 'failed' | 'no target';

/** A shared machine halves a figure now and then; a median below this share of its target, or of what was reached, is a change for the worse. */
export const FAILED_BELOW = 0.6;

/** Middle value; of an even number of them the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError('no values, no median');
  return (upper + lower) / 2;
}

/** The value that `share` of all values do not exceed (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError('no values, no percentile');
  return value;
}

export function summarise({ rounds }: Figure): Summary {
  return { median: median(rounds), min: Math.min(...rounds), max: Math.max(...rounds) };
}

/** Compares the median with the target. What is no number has failed. */
export function judge(figure: Figure): Verdict {
  const { target } = figure;
  if (target === undefined) return 'no target';
  const { median: value } = summarise(figure);
  if ('atLeast' in target) {
    if (value >= target.atLeast) return 'met';
    return value >= (target.reached ?? target.atLeast) * FAILED_BELOW ? 'missed' : 'failed';
  }
  if (value <= target.atMost) return 'met';
  return value <= (target.reached ?? target.atMost) / FAILED_BELOW ? 'missed' : 'failed';
}

/** Divides round by round, so that what disturbed a round disturbs both sides of its quotient. */
export function quotients(above: readonly number[], below: readonly number[]): number[] {
  if (above.length !== below.length) throw new RangeError('the two sides have different rounds');
  return above.map((value, round) => value / (below[round] ?? NaN));
}

import fc from 'fast-check';
import { nextAttemptDelayMs } from './retry-schedule';

describe('the wait before a record is sent again', () => {
  test.each([
    [1, 1_000, 2_000],
    [2, 1_000, 4_000],
    [3, 1_000, 8_000],
    [9, 1_000, 512_000],
    [10, 1_000, 900_000],
    [11, 1_000, 900_000],
    [10_000, 1_000, 900_000],
  ])('after attempt %i lies between %i and %i ms, by chance', (attempt, leastMs, mostMs) => {
    expect(nextAttemptDelayMs(attempt, () => 0)).toBe(leastMs);
    expect(nextAttemptDelayMs(attempt, () => 0.5)).toBe((leastMs + mostMs) / 2);
    expect(nextAttemptDelayMs(attempt, () => 1 - Number.EPSILON)).toBe(mostMs);
  });

  test('is a whole number of milliseconds from 1 s to 15 min for any attempt and chance', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -5 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, chance) => {
          const delayMs = nextAttemptDelayMs(attempt, () => chance);
          expect(Number.isInteger(delayMs)).toBe(true);
          expect(delayMs).toBeGreaterThanOrEqual(1_000);
          expect(delayMs).toBeLessThanOrEqual(900_000);
        },
      ),
    );
  });

  test('adds up to 24 minutes on average and 47 at most before the twelfth and last attempt', () => {
    const minutes = (chance: number): number =>
      Array.from({ length: 11 }, (_, n) => nextAttemptDelayMs(n + 1, () => chance)).reduce((sum, ms) => sum + ms, 0) /
      60_000;
    expect([minutes(0.5), minutes(1)].map(Math.round)).toEqual([24, 47]);
  });
});

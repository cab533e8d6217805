const SHORTEST_MS = 1_000;
const LONGEST_MS = 15 * 60 * 1_000;

/**
 * How long a record waits before it is sent again, in milliseconds: evenly spread between 1 s and a ceiling that
 * doubles with every attempt (2 s after the first, 15 min from the tenth on). Full jitter rather than a fixed step,
 * so that the records of one failed batch do not come back as one crowd; the floor keeps a chance near 0 from
 * becoming an immediate repeat. Twelve attempts take 24 minutes on average, 47 at most.
 *
 * @param attempt attempts that were charged to the record so far, 1 after the first
 * @param random a chance in [0, 1), as Math.random gives it
 */
export function nextAttemptDelayMs(attempt: number, random: () => number): number {
  // Beyond 2^30 the doubling says nothing new, and Infinity must never get into a sum.
  const doublings = Math.min(Math.max(Math.trunc(attempt), 1), 30);
  const ceilingMs = Math.min(SHORTEST_MS * 2 ** doublings, LONGEST_MS);
  return Math.round(SHORTEST_MS + random() * (ceilingMs - SHORTEST_MS));
}

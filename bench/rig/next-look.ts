/** Often enough for a figure of one second. */
const SHORTEST_MS = 10;
/** While nothing is done yet one cannot tell how long it takes. */
const FIRST_MS = 50;
const LONGEST_MS = 1_000;

export interface Progress {
  done: number;
  all: number;
  /** Since nothing was done. */
  elapsedMs: number;
}

/**
 * How long to wait until the next look at work under way: a quarter of what the rest takes at the rate so far. A look costs this
 * process and the one that is asked a millisecond each, on the cores that the gateway works on: a hundred looks a second were
 * 5 % of both cores, and the references are not looked at.
 */
export function nextLookMs({ done, all, elapsedMs }: Progress): number {
  if (done === 0) return FIRST_MS;
  const restMs = (elapsedMs / done) * (all - done);
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, restMs / 4));
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_BACKOFF_MS = 30_000;
const LONGEST_RATE_LIMIT_MS = 15 * 60 * 1_000;

/**
 * A pause that only a person or another configuration can be expected to end is probed this often, in case AMLYZE's
 * side was put right.
 */
export const OPERATOR_PROBE_MS = 5 * 60 * 1_000;

/**
 * Pause after the endpoint failed as a whole: 1 s, doubled with each consecutive failure, 30 s at most. Short at the
 * top, because the probe that ends it is one batch: an outage, however long, costs AMLYZE two calls a minute, and
 * delivery is back within half a minute of its end.
 *
 * @param consecutiveFailures 1 for the first
 */
export function backoffMs(consecutiveFailures: number): number {
  return doubled(consecutiveFailures - 1, LONGEST_BACKOFF_MS);
}

/**
 * Pause after 429: what AMLYZE asks for, from 1 s (a Retry-After of 0 must not become a hot loop) to 15 min (nor an
 * absurd one the end of delivery). Where it asks for nothing, 1 s doubled with each failure before it, within the
 * same bounds.
 *
 * @param retryAfterMs from the Retry-After header, undefined where there is none
 * @param failuresBefore consecutive failures of the endpoint before this one, 0 for the first
 */
export function rateLimitMs(retryAfterMs: number | undefined, failuresBefore: number): number {
  if (retryAfterMs === undefined) return doubled(failuresBefore, LONGEST_RATE_LIMIT_MS);
  return Math.min(Math.max(retryAfterMs, FIRST_PAUSE_MS), LONGEST_RATE_LIMIT_MS);
}

function doubled(times: number, mostMs: number): number {
  // 2^20 s is beyond every limit here; a counter that ran for months must not reach Infinity.
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(Math.max(times, 0), 20), mostMs);
}

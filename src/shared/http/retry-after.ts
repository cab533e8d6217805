import type { Answer, CallFailure } from './types';

// More than this is no instruction but a mistake (or a Unix timestamp in place of seconds): it still asks for a long wait.
const MAX_WAIT_MS = 366 * 24 * 60 * 60 * 1000;

// The three date forms of RFC 9110 5.6.7. Date.parse alone would also read "1.5" or "2" as a date.
const HTTP_DATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? (?:\d{2}[ -][A-Z][a-z]{2}[ -]\d{2,4} \d{2}:\d{2}:\d{2} GMT|[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4})$/;

/**
 * Reads the Retry-After header (RFC 9110 10.2.3) of an answer, or of one that did not come whole: whole seconds or an HTTP date.
 *
 * @returns milliseconds to wait, a year at most; undefined where the header is absent, unreadable or negative (a date that has passed): the
 *   caller then waits by its own rule. The caller also caps it.
 */
export function retryAfterMs(
  result: Pick<Answer, 'headers'> | Pick<CallFailure, 'retryAfter'>,
  now: Date,
): number | undefined {
  const text = ('headers' in result ? result.headers['retry-after'] : result.retryAfter)?.trim();
  if (text === undefined) return undefined;
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : untilDateMs(text, now);
  return waitMs === undefined ? undefined : Math.min(waitMs, MAX_WAIT_MS);
}

function untilDateMs(text: string, now: Date): number | undefined {
  if (!HTTP_DATE.test(text)) return undefined;
  // The asctime form has no zone and means UTC; Date.parse would take it as local time.
  const atMs = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return atMs >= now.getTime() ? atMs - now.getTime() : undefined;
}

// More than this is no instruction but a mistake (or a Unix timestamp in place of seconds).
const MAX_WAIT_MS = 366 * 24 * 60 * 60 * 1000;

// The three date forms of RFC 9110 5.6.7. Date.parse alone would also read "1.5" or "2" as a date.
const HTTP_DATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? (?:\d{2}[ -][A-Z][a-z]{2}[ -]\d{2,4} \d{2}:\d{2}:\d{2} GMT|[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4})$/;

/**
 * Reads a Retry-After header (RFC 9110 10.2.3): whole seconds or an HTTP date.
 *
 * @param headers of an answer, names in lower case
 * @returns milliseconds to wait, undefined where the header is absent, unreadable, negative (a date that has passed) or beyond a year: the
 *   caller then waits by its own rule. The caller also caps it.
 */
export function retryAfterMs(headers: Record<string, string>, now: Date): number | undefined {
  const text = headers['retry-after']?.trim();
  if (text === undefined) return undefined;
  const waitMs = /^\d{1,10}$/.test(text) ? Number(text) * 1000 : untilDateMs(text, now);
  return waitMs === undefined || waitMs > MAX_WAIT_MS ? undefined : waitMs;
}

function untilDateMs(text: string, now: Date): number | undefined {
  if (!HTTP_DATE.test(text)) return undefined;
  // The asctime form has no zone and means UTC; Date.parse would take it as local time.
  const atMs = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return atMs >= now.getTime() ? atMs - now.getTime() : undefined;
}

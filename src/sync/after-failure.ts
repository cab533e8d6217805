import type { FailedRead } from '../providers/provider';
import { TRUSTED_FOR_MS } from '../providers/provider-tokens';
import type { ClaimedSubject } from './claim-reads';
import type { Stop } from './subject-result';

/** Repeats of a read within a run, and the wait before each. */
const REPEAT_WAITS_MS = [1_000, 5_000] as const;

/**
 * A repeat never takes the last read of the consent's window: that one is left for an operator or the next slot. A
 * renewed token may take it, for the read before it has brought nothing and the bank can be read; it waits until no replica
 * trusts the refused one any more, because a second refusal stops the consent.
 */
export function repeatAfter(
  subject: ClaimedSubject,
  result: Pick<FailedRead, 'retry' | 'bytesMayHaveLeft'>,
): number | undefined {
  const tries = Math.max(...subject.accounts.flatMap((account) => account.runs.map((run) => run.tries)), 0);
  const readsLeft = subject.readsLeft + (result.bytesMayHaveLeft ? 0 : 1);
  if (result.retry === 'renew-token') return subject.tokenRenewed || readsLeft < 1 ? undefined : TRUSTED_FOR_MS;
  return result.retry === 'in-run' && readsLeft >= 2 ? REPEAT_WAITS_MS[tries] : undefined;
}

/** `connectionVersion`: of the connection that the read was made with. */
export function toStop(subject: ClaimedSubject, result: FailedRead, connectionVersion: string): Stop | undefined {
  const { stops, outcome, reason, retryAfterMs } = result;
  if (stops === 'nothing') return undefined;
  if (outcome === 'CERTIFICATE_PROBLEM') {
    return { scope: 'connection', kind: 'pause', reason, version: connectionVersion };
  }
  // Without a read left the new token was not tried yet; the next slot will.
  if (result.retry === 'renew-token' && !subject.tokenRenewed) return undefined;
  if (stops === 'consent' && (outcome === 'CONSENT_REQUIRED' || outcome === 'TOKEN_REJECTED')) {
    return { scope: 'consent', kind: 'stop', outcome, reason };
  }
  return retryAfterMs === undefined ? undefined : { scope: stops, kind: 'wait', reason, forMs: retryAfterMs };
}

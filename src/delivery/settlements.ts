import type { RecordVerdict } from '../amlyze/record-verdict';
import type { Verdict } from '../outbox/attempt';
import type { ClaimedRecord } from '../outbox/claimed-record';
import { nextAttemptDelayMs } from '../outbox/retry-schedule';
import type { Settlement } from '../outbox/settle';
import type { Call } from './call';

/** The limits and the chance that a settlement depends on. */
export interface RetryPolicy {
  maxAttempts: number;
  random: () => number;
}

/** What one record's own verdict makes of it: settled, or due again after a wait that grows with its attempts. */
export function settleByVerdict(record: ClaimedRecord, verdict: RecordVerdict, policy: RetryPolicy): Settlement {
  const words = wordsAbout(record, verdict);
  switch (verdict.verdict) {
    case 'accepted':
    case 'rejected':
    case 'held':
      return { ...words, state: verdict.verdict, reason: verdict.reason, inDoubt: verdict.inDoubt };
    case 'in-doubt':
      return { ...words, ...chargeAttempt(record, policy), inDoubt: verdict.inDoubt };
  }
}

function wordsAbout(
  record: ClaimedRecord,
  { verdict, reason, errorCode, errorDescription, answer }: RecordVerdict,
): Omit<Settlement, 'state' | 'inDoubt'> {
  return { record, verdict, verdictReason: reason, errorCode, errorDescription, answer };
}

/** The record's own attempt failed: wait and try again, or give up when its attempts are used up. */
export function chargeAttempt(
  record: ClaimedRecord,
  policy: RetryPolicy,
): Pick<Settlement, 'state' | 'reason' | 'delayMs' | 'chargesAttempt'> {
  const attempts = record.attempts + 1;
  if (attempts >= policy.maxAttempts) {
    return { state: 'exhausted', reason: 'ATTEMPTS_EXHAUSTED', chargesAttempt: true };
  }
  return { state: 'pending', delayMs: nextAttemptDelayMs(attempts, policy.random), chargesAttempt: true };
}

/** What is said of every record of a call that settled none of them. */
export interface WholeVerdict {
  verdict: Extract<Verdict, 'in-doubt' | 'refused' | 'not-sent'>;
  reason: string;
}

/** Without doubt AMLYZE has refused the call where a status came, whatever became of the body; else no byte of it has left. */
export function toWholeVerdict({ result }: Pick<Call, 'result'>, doubt: boolean, reason: string): WholeVerdict {
  if (doubt) return { verdict: 'in-doubt', reason };
  return { verdict: result.status !== undefined ? 'refused' : 'not-sent', reason };
}

/** The call failed as a whole: the record is due at once again, when its endpoint lets calls through. */
export function returnToPool(record: ClaimedRecord, { verdict, reason }: WholeVerdict): Settlement {
  return {
    record,
    state: 'pending',
    inDoubt: record.inDoubtBefore || verdict === 'in-doubt',
    verdict,
    verdictReason: reason,
    delayMs: 0,
  };
}

/** AMLYZE rejected the record for a setting of ours: it is due again as it is, and the log keeps that its number was rejected. */
export function returnRejected(record: ClaimedRecord, rejection: RecordVerdict): Settlement {
  return { ...wordsAbout(record, rejection), state: 'pending', inDoubt: rejection.inDoubt, delayMs: 0 };
}

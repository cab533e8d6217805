import type { RecordVerdict } from '../amlyze/record-verdict';
import type { ClaimedRecord } from '../outbox/claim';
import { nextAttemptDelayMs } from '../outbox/retry-schedule';
import type { Settlement } from '../outbox/settle';

/** The limits and the chance that a settlement depends on. */
export interface RetryPolicy {
  maxAttempts: number;
  random: () => number;
}

/** What one record's own verdict makes of it: settled, or due again after a wait that grows with its attempts. */
export function settleByVerdict(record: ClaimedRecord, verdict: RecordVerdict, policy: RetryPolicy): Settlement {
  const words = {
    record,
    verdict: verdict.verdict,
    verdictReason: verdict.reason,
    errorCode: verdict.errorCode,
    errorDescription: verdict.errorDescription,
    answer: verdict.answer,
  };
  switch (verdict.verdict) {
    case 'accepted':
    case 'rejected':
    case 'held':
      return { ...words, state: verdict.verdict, reason: verdict.reason, inDoubt: verdict.inDoubt };
    case 'in-doubt':
    case 'not-sent':
      return { ...words, ...chargeAttempt(record, policy), inDoubt: verdict.inDoubt };
  }
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

/** The call failed as a whole: the record is due at once again, when its endpoint lets calls through. */
export function returnToPool(record: ClaimedRecord, failure: { doubt: boolean; reason: string }): Settlement {
  return {
    record,
    state: 'pending',
    inDoubt: record.inDoubtBefore || failure.doubt,
    verdict: failure.doubt ? 'in-doubt' : 'not-sent',
    verdictReason: failure.reason,
    delayMs: 0,
  };
}

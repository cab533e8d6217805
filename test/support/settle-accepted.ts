import type { ClaimedBatch } from '../../src/outbox/claim';
import type { LateAnswers } from '../../src/outbox/settle';
import { settle } from './settle';
import type { Queryable } from '../../src/shared/database';

/** As if AMLYZE had accepted all of the batch; answers that came too late. */
export async function settleAccepted(db: Queryable, { attemptId, records }: ClaimedBatch): Promise<LateAnswers> {
  const settlements = records.map((record) => ({
    record,
    state: 'accepted' as const,
    inDoubt: false,
    verdict: 'accepted',
  }));
  return settle(db, attemptId, settlements, { outcome: 'answered' });
}

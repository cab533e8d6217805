import type { ClaimedBatch } from '../../src/outbox/claim';
import type { LateAnswers, Settlement } from '../../src/outbox/settle';
import { settle } from './settle';
import type { Queryable } from '../../src/shared/database';

/** As if AMLYZE had accepted all of the batch; answers that came too late. */
export async function settleAccepted(db: Queryable, { attemptId, records }: ClaimedBatch): Promise<LateAnswers> {
  const settlements = records.map((record): Settlement => ({
    record,
    state: 'accepted',
    inDoubt: false,
    verdict: 'accepted',
  }));
  return settle(db, attemptId, settlements, { outcome: 'answered' });
}

import type { SentRecord } from '../amlyze/record-verdict';
import type { ClaimedBatch } from '../outbox/claim';
import type { ClaimedRecord } from '../outbox/claimed-record';
import type { LateAnswers, SettledCall } from '../outbox/settle';
import type { Answer, CallFailure } from '../shared/http-client';
import type { EndpointState } from './endpoint-state';
import type { Lane } from './lane';

/** One call to AMLYZE that has come back, one way or another. */
export interface Call {
  lane: Lane;
  batch: ClaimedBatch;
  state: EndpointState;
  result: Answer | CallFailure;
  single: boolean;
  /** Writes the settlements in place of SettlementWriter's own commit. */
  write?: (settled: SettledCall) => Promise<LateAnswers>;
}

/** What a verdict has to know about a record. */
export function toSent(record: ClaimedRecord): SentRecord {
  const { id, communicationNumber, accountExtId, operationExtId, businessUnit } = record;
  const { inDoubtBefore, rejectedBefore, collidedBefore } = record;
  return {
    id,
    communicationNumber,
    accountExtId,
    ...(operationExtId !== undefined && { operationExtId }),
    ...(businessUnit !== undefined && { businessUnit }),
    inDoubtBefore,
    rejectedBefore,
    collidedBefore,
  };
}

import type { ClaimedBatch } from '../outbox/claim';
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
}

import type { ClaimedRecord } from '../outbox/claimed-record';
import type { FailureCause } from '../shared/http-client';
import { ranOutOfTime } from './batch-surgery';

const record: ClaimedRecord = {
  id: '1',
  communicationNumber: 'n-1',
  accountExtId: 'A-1',
  operationExtId: undefined,
  businessUnit: undefined,
  payload: '{}',
  sealed: false,
  inDoubtBefore: false,
  rejectedBefore: false,
  collidedBefore: false,
  attempts: 0,
  wholeFailures: 0,
};
const batchOf = (size: number) => ({
  attemptId: '1',
  group: undefined,
  records: Array.from({ length: size }, () => record),
});
const failure = (cause: FailureCause, bytesMayHaveLeft = true) => ({
  kind: 'failure' as const,
  cause,
  bytesMayHaveLeft,
  detail: cause,
  latencyMs: 30_000,
});

describe('a batch ran out of time', () => {
  it('where more than one record had no complete answer in time', () => {
    expect(ranOutOfTime({ batch: batchOf(2), result: failure('deadline') })).toBe(true);
  });

  it('but not where it was one record, of which there is no half', () => {
    expect(ranOutOfTime({ batch: batchOf(1), result: failure('deadline') })).toBe(false);
  });

  it('nor where no byte had left, so that its size cannot be the reason', () => {
    expect(ranOutOfTime({ batch: batchOf(500), result: failure('deadline', false) })).toBe(false);
  });

  it.each<FailureCause>(['connect-timeout', 'connection-lost', 'response-truncated', 'refused'])(
    'nor by %s, which says nothing about the size',
    (cause) => {
      expect(ranOutOfTime({ batch: batchOf(500), result: failure(cause) })).toBe(false);
    },
  );

  it('nor by an answer, however late', () => {
    const answer = { kind: 'answer' as const, status: 503, headers: {}, contentType: '', body: '', latencyMs: 29_999 };
    expect(ranOutOfTime({ batch: batchOf(500), result: answer })).toBe(false);
  });
});

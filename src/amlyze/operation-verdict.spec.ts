import {
  answer,
  EXISTS,
  failure,
  operation,
  operationEntry,
  REJECTED,
  results,
  USED,
} from '../../test/fixtures/amlyze/answers';
import { judgeOperation, judgeOperationAlone, judgeOperationBatch, judgePreflight } from './operation-verdict';
import type { CallVerdict, SentRecord } from './verdict';

const NOW = new Date('2026-01-01T00:00:00.000Z');
const ACCEPTED = { resultType: 'REQUEST_ACCEPTED' };
const NO = { resultType: REJECTED, errorCode: 'O006', errorDescription: 'OperationParties must contain CREDITOR.' };

function verdicts(verdict: CallVerdict): string[] {
  if (verdict.kind !== 'settled') throw new Error(`not settled but ${verdict.kind}`);
  return verdict.records.map(({ verdict: word, reason }) => (reason ? `${word} ${reason}` : word));
}

describe('the results of a batch of operations', () => {
  test('are matched by operationExtId, whatever their order, and come back in the order sent', () => {
    const answered = results(operationEntry(3, ACCEPTED), operationEntry(1, ACCEPTED), operationEntry(2, NO));
    const judged = judgeOperationBatch(answered, [operation(1), operation(2), operation(3)], NOW);
    expect(verdicts(judged)).toEqual(['accepted', 'rejected BUSINESS_REJECTION', 'accepted']);
    expect(judged).toMatchObject({ records: [{ id: '1' }, { id: '2' }, { id: '3' }], strangers: [], alarms: [] });
  });

  test('leave a missing operation in doubt and list what nobody asked for by its operationExtId', () => {
    const answered = results(operationEntry(9, ACCEPTED), null, { communicationNumber: 'obg-1', ...ACCEPTED });
    const judged = judgeOperationBatch(answered, [operation(1)], NOW);
    expect(verdicts(judged)).toEqual(['in-doubt MISSING_FROM_RESULTS']);
    expect(judged).toMatchObject({ strangers: ['op-9', '(no operationExtId)', '(no operationExtId)'] });
  });

  test('tell operations of one operationExtId apart by their business unit', () => {
    const sent = [
      operation(1, { operationExtId: 'x', businessUnit: 'a' }),
      operation(2, { operationExtId: 'x', businessUnit: 'b' }),
    ];
    const of = (businessUnit: string, said: object): object => ({ operationExtId: 'x', businessUnit, ...said });
    expect(verdicts(judgeOperationBatch(results(of('b', NO), of('a', ACCEPTED)), sent, NOW))).toEqual([
      'accepted',
      'rejected BUSINESS_REJECTION',
    ]);
    const elsewhere = judgeOperationBatch(results(of('c', ACCEPTED), of('a', ACCEPTED)), sent, NOW);
    expect(verdicts(elsewhere)).toEqual(['accepted', 'in-doubt MISSING_FROM_RESULTS']);
    expect(elsewhere).toMatchObject({ strangers: ['x'] });
  });

  test('that fit two operations settle neither of them, unless they name the number', () => {
    const sent = [
      operation(1, { operationExtId: 'x', businessUnit: 'a' }),
      operation(2, { operationExtId: 'x', businessUnit: 'b' }),
    ];
    const vague = judgeOperationBatch(results({ operationExtId: 'x', ...ACCEPTED }), sent, NOW);
    expect(verdicts(vague)).toEqual(Array(2).fill('in-doubt AMBIGUOUS_RESULT'));
    expect(vague).toMatchObject({
      alarms: ['2 of 2 records answered by a result that fits several of them: obg-1, obg-2'],
    });
    const numbered = results({ operationExtId: 'x', communicationNumber: 'obg-2', ...ACCEPTED });
    expect(verdicts(judgeOperationBatch(numbered, sent, NOW))).toEqual(['in-doubt MISSING_FROM_RESULTS', 'accepted']);
  });

  test('may name a business unit that we did not send, and may leave out the one that we sent', () => {
    const named = results(operationEntry(1, { businessUnit: 'default', ...ACCEPTED }));
    expect(verdicts(judgeOperationBatch(named, [operation(1)], NOW))).toEqual(['accepted']);
    const silent = results(operationEntry(1, { businessUnit: null, ...ACCEPTED }));
    expect(verdicts(judgeOperationBatch(silent, [operation(1, { businessUnit: 'a' })], NOW))).toEqual(['accepted']);
  });

  test('with another communicationNumber are no verdict on ours', () => {
    const other = results(operationEntry(1, { communicationNumber: 'obg-7', ...ACCEPTED }));
    const judged = judgeOperationBatch(other, [operation(1)], NOW);
    expect(verdicts(judged)).toEqual(['in-doubt OTHER_OPERATION']);
    expect(judged).toMatchObject({
      alarms: ['1 of 1 records answered for another operation or number than was sent: obg-1'],
    });
  });

  test('with different verdicts for one operation count as none', () => {
    const conflicting = results(operationEntry(1, ACCEPTED), operationEntry(1, NO));
    expect(verdicts(judgeOperationBatch(conflicting, [operation(1)], NOW))).toEqual(['in-doubt CONFLICTING_RESULTS']);
  });
});

describe('the operation endpoint', () => {
  test.each([{ operationExtId: 'op-2' }, { businessUnit: 'b' }, { communicationNumber: 'obg-2' }])(
    'that answers for another operation (%j) leaves ours in doubt',
    (other) => {
      const sent = operation(1, { businessUnit: 'a' });
      const judged = judgeOperation(answer(200, { ...ACCEPTED, ...other }), sent, NOW);
      expect(verdicts(judged)).toEqual(['in-doubt OTHER_OPERATION']);
    },
  );

  test('that answers 500 with a rejection in it leaves the operation in doubt and fails as a whole', () => {
    const processing = { resultType: REJECTED, errorCode: '500', errorDescription: 'Processing failed' };
    expect(judgeOperation(answer(500, processing), operation(1), NOW)).toMatchObject({
      kind: 'endpoint-failed',
      doubt: true,
    });
  });
});

describe('a batch of one operation that is answered 400', () => {
  const refused = (said: unknown, past: Partial<SentRecord> = {}): CallVerdict =>
    judgeOperationAlone(answer(400, said), operation(1, past), NOW);

  test("rejects it in AMLYZE's words, and knows its number and its name, as the single endpoint does", () => {
    expect(refused(NO)).toMatchObject({
      records: [{ verdict: 'rejected', reason: 'BUSINESS_REJECTION', inDoubt: false, errorCode: NO.errorCode }],
    });
    expect(verdicts(refused({ results: [operationEntry(1, NO)] }))).toEqual(['rejected BUSINESS_REJECTION']);
    const used = { resultType: REJECTED, errorCode: 'O005', errorDescription: USED };
    expect(verdicts(refused(used))).toEqual(['held COLLISION']);
    expect(verdicts(refused(used, { inDoubtBefore: true }))).toEqual(['accepted replayed']);
  });

  test.each([
    [answer(400, { timestamp: 'x', status: 400, error: 'Bad Request', path: '/x' })],
    [answer(400, '<html></html>')],
    [failure('response-truncated', true, 400)],
  ])('stays a bad request without a reason (example %#)', (result) => {
    expect(judgeOperationAlone(result, operation(1), NOW)).toMatchObject({ kind: 'bad-request' });
  });

  test('is no word about the operation where it names the tenant header', () => {
    expect(refused({ resultType: REJECTED, errorDescription: "Tenant header 'X' is mandatory." })).toMatchObject({
      kind: 'configuration',
    });
  });
});

describe('the dry run', () => {
  const sent = [operation(1), operation(2), operation(3), operation(4)];

  test("names the operations that AMLYZE would refuse, in AMLYZE's words, and leaves all others to the real send", () => {
    const answered = results(
      operationEntry(1, ACCEPTED),
      operationEntry(2, NO),
      operationEntry(3, { resultType: REJECTED, errorCode: 'O005', errorDescription: EXISTS }),
    );
    expect(judgePreflight(answered, sent, NOW)).toEqual({
      kind: 'checked',
      refused: [{ id: '2', errorCode: NO.errorCode, errorDescription: NO.errorDescription }],
    });
    const used = results(operationEntry(1, { resultType: REJECTED, errorCode: 'O005', errorDescription: USED }));
    expect(judgePreflight(used, sent, NOW)).toEqual({ kind: 'checked', refused: [] });
  });

  test.each([
    [answer(404, { timestamp: 'x', status: 404, error: 'Not Found', path: '/x' })],
    [answer(500, '')],
    [answer(429, '')],
    [answer(400, { error: 'Bad Request' })],
    [failure('deadline', true)],
  ])('that brings no results (example %#) refuses nothing', (result) => {
    expect(judgePreflight(result, sent, NOW)).toEqual({ kind: 'unchecked', detail: expect.any(String) as string });
  });
});

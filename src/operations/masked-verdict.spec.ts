import { answer, operation, operationEntry, results } from '../../test/fixtures/amlyze/answers';
import { judgeOperation, judgeOperationBatch } from '../amlyze/operation-verdict';
import { maskedVerdict } from './masked-verdict';

const WORDS = 'card 4111111111111111 is blocked';
const MASKED = 'card 411111******1111 is blocked';

describe('what is kept of a verdict', () => {
  it('has no card number in the words about a record, and everything else as it was', () => {
    const record = { id: '1', verdict: 'rejected', reason: 'REJECTED', inDoubt: false } as const;
    const verdict = maskedVerdict({
      kind: 'settled',
      records: [
        { ...record, errorCode: 'O006', errorDescription: WORDS, answer: `{"errorDescription":"${WORDS}"}` },
        record,
      ],
      strangers: [WORDS],
      alarms: [WORDS],
    });
    expect(verdict).toEqual({
      kind: 'settled',
      records: [
        { ...record, errorCode: 'O006', errorDescription: MASKED, answer: `{"errorDescription":"${MASKED}"}` },
        record,
      ],
      strangers: [MASKED],
      alarms: [MASKED],
    });
  });

  it.each(['4111111111111111', '4111 1111 1111 1111', '4111-1111-1111-1111'])(
    'has no part of %s either, wherever the words are cut',
    (number) => {
      const now = new Date();
      for (let spare = 0; spare <= number.length + 60; spare += 1) {
        for (const limit of [300, 4_000]) {
          const errorDescription = `${'x'.repeat(limit - spare)} ${number} is blocked${'x'.repeat(100)}`;
          const said = { resultType: 'REQUEST_REJECTED', errorCode: 'O006', errorDescription };
          const verdicts = [
            judgeOperation(answer(400, said), operation(1), now),
            judgeOperationBatch(answer(400, said), [operation(1)], now),
            judgeOperationBatch(results(operationEntry(1, said)), [operation(1)], now),
          ];
          // Six digits and four are what a masked number shows.
          for (const verdict of verdicts) expect(JSON.stringify(maskedVerdict(verdict))).not.toMatch(/4111[ -]?111/);
        }
      }
    },
  );

  it('has none in the words about a whole call', () => {
    expect(maskedVerdict({ kind: 'endpoint-failed', doubt: true, detail: WORDS })).toEqual({
      kind: 'endpoint-failed',
      doubt: true,
      detail: MASKED,
    });
  });
});

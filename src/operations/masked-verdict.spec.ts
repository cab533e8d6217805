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

  it('has none in the words about a whole call', () => {
    expect(maskedVerdict({ kind: 'endpoint-failed', doubt: true, detail: WORDS })).toEqual({
      kind: 'endpoint-failed',
      doubt: true,
      detail: MASKED,
    });
  });
});

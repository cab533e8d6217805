import { answer, entry, record, REJECTED, results, USED } from '../../test/fixtures/amlyze/answers';
import { judgeBatch, judgeSingle, type CallVerdict } from './verdict';

const NOW = new Date('2026-01-01T00:00:00.000Z');
const ACCEPTED = { resultType: 'REQUEST_ACCEPTED' };
const BUSINESS_UNIT = { resultType: REJECTED, errorCode: '', errorDescription: 'Business unit is mandatory.' };

type Settled = Extract<CallVerdict, { kind: 'settled' }>;

function settled(verdict: CallVerdict): Settled {
  if (verdict.kind !== 'settled') throw new Error(`not settled but ${verdict.kind}`);
  return verdict;
}

const verdicts = (verdict: CallVerdict): string[] =>
  settled(verdict).records.map(({ verdict: word, reason }) => (reason ? `${word} ${reason}` : word));

describe('the results of a batch', () => {
  test('are matched by number, whatever their order, and come back in the order sent', () => {
    const judged = judgeBatch(
      results(
        entry(3, ACCEPTED),
        entry(1, ACCEPTED),
        entry(2, { resultType: REJECTED, errorCode: '003', errorDescription: 'linked' }),
      ),
      [record(1), record(2), record(3)],
      NOW,
    );
    expect(settled(judged).records.map(({ id }) => id)).toEqual(['1', '2', '3']);
    expect(verdicts(judged)).toEqual(['accepted', 'rejected BUSINESS_REJECTION', 'accepted']);
    expect(settled(judged)).toMatchObject({ strangers: [], alarms: [] });
  });

  test('leave a missing record in doubt and say so', () => {
    const judged = judgeBatch(results(entry(1, ACCEPTED)), [record(1), record(2)], NOW);
    expect(verdicts(judged)).toEqual(['accepted', 'in-doubt MISSING_FROM_RESULTS']);
    expect(settled(judged).records[1]).toEqual({
      id: '2',
      verdict: 'in-doubt',
      reason: 'MISSING_FROM_RESULTS',
      inDoubt: true,
    });
    expect(settled(judged).alarms).toEqual(['1 of 2 records missing from the results: obg-2']);
  });

  test('may be an empty list: every record is in doubt, the endpoint lives', () => {
    expect(verdicts(judgeBatch(results(), [record(1)], NOW))).toEqual(['in-doubt MISSING_FROM_RESULTS']);
  });

  test('with the same verdict twice count once, with different ones not at all', () => {
    const twice = results(entry(1, { ...ACCEPTED, timeElapsedMs: 1 }), entry(1, { ...ACCEPTED, timeElapsedMs: 9 }));
    expect(verdicts(judgeBatch(twice, [record(1)], NOW))).toEqual(['accepted']);

    const used = { resultType: REJECTED, errorCode: 'O005', errorDescription: USED };
    const conflicting = judgeBatch(results(entry(1, ACCEPTED), entry(1, used)), [record(1)], NOW);
    expect(verdicts(conflicting)).toEqual(['in-doubt CONFLICTING_RESULTS']);
    expect(settled(conflicting).records[0]?.answer).toContain(USED);
    expect(settled(conflicting).alarms).toHaveLength(1);

    const otherCode = results(
      entry(1, { resultType: REJECTED, errorCode: '1' }),
      entry(1, { resultType: REJECTED, errorCode: '2' }),
    );
    expect(verdicts(judgeBatch(otherCode, [record(1)], NOW))).toEqual(['in-doubt CONFLICTING_RESULTS']);
  });

  test.each([{ accountExtId: 'ext-2' }, { accountExtId: '' }, { accountExtId: 1 }])(
    'with another account (%j) are no verdict on ours',
    (other) => {
      const judged = judgeBatch(results(entry(1, { ...ACCEPTED, ...other })), [record(1)], NOW);
      expect(verdicts(judged)).toEqual(['in-doubt OTHER_ACCOUNT']);
      expect(settled(judged).alarms).toEqual([
        '1 of 1 records answered for another account or number than was sent: obg-1',
      ]);
    },
  );

  test('without an account, or for a record that has none, are compared by number alone', () => {
    expect(verdicts(judgeBatch(results({ communicationNumber: 'obg-1', ...ACCEPTED }), [record(1)], NOW))).toEqual([
      'accepted',
    ]);
    expect(verdicts(judgeBatch(results(entry(1, { ...ACCEPTED, accountExtId: null })), [record(1)], NOW))).toEqual([
      'accepted',
    ]);
    const operation = record(1, { accountExtId: undefined });
    expect(verdicts(judgeBatch(results(entry(1, ACCEPTED)), [operation], NOW))).toEqual(['accepted']);
  });

  test('about numbers nobody asked for, null and nonsense are listed and touch nothing', () => {
    const judged = judgeBatch(
      results(null, 7, 'x', [], {}, { communicationNumber: 1 }, entry(9, ACCEPTED), entry(1, ACCEPTED), {
        communicationNumber: 'OBG-1',
      }),
      [record(1)],
      NOW,
    );
    expect(verdicts(judged)).toEqual(['accepted']);
    expect(settled(judged).strangers).toEqual([...Array<string>(6).fill('(no communicationNumber)'), 'obg-9', 'OBG-1']);
  });

  test('cannot flood the log or break its lines, however many strangers they name', () => {
    const hostile = Array.from({ length: 2_000 }, (_, n) => ({
      communicationNumber: `x\n${n}\u2028${'y'.repeat(5_000)}`,
    }));
    const { strangers } = settled(judgeBatch(results(...hostile), [record(1)], NOW));
    expect(strangers).toHaveLength(50);
    expect(strangers[0]).toMatch(/^x\\u\{a\}0\\u\{2028\}y+…$/);
    expect(Math.max(...strangers.map(({ length }) => length))).toBeLessThan(400);
  });

  test('under a 400 that name no record of ours are a refused batch', () => {
    const stranger = answer(400, { results: [entry(9, { resultType: REJECTED, errorCode: '1' })] });
    expect(judgeBatch(stranger, [record(1)], NOW).kind).toBe('bad-request');
    expect(judgeBatch(answer(400, { results: [] }), [record(1)], NOW).kind).toBe('bad-request');
  });
});

describe('one reason for every record of a batch', () => {
  const all = [record(1), record(2, { inDoubtBefore: true })];

  test('that names tenant or business unit is a setting of ours, and a rejection of each number all the same', () => {
    const answer = (n: number): string => JSON.stringify(entry(n, BUSINESS_UNIT));
    const words = { verdict: 'rejected', errorDescription: 'Business unit is mandatory.' };
    expect(judgeBatch(results(entry(1, BUSINESS_UNIT), entry(2, BUSINESS_UNIT)), all, NOW)).toEqual({
      kind: 'configuration',
      detail: 'every record was refused: no code Business unit is mandatory.',
      frozen: true,
      rejections: [
        { id: '1', ...words, reason: 'BUSINESS_REJECTION', inDoubt: false, answer: answer(1) },
        { id: '2', ...words, reason: 'REJECTED_AFTER_DOUBT', inDoubt: true, answer: answer(2) },
      ],
    });
  });

  test('rejects the records after all where one of them fared otherwise, was left out, or had another business unit', () => {
    expect(verdicts(judgeBatch(results(entry(1, BUSINESS_UNIT), entry(2, ACCEPTED)), all, NOW))).toEqual([
      'rejected BUSINESS_REJECTION',
      'accepted',
    ]);
    expect(verdicts(judgeBatch(results(entry(2, BUSINESS_UNIT)), all, NOW))).toEqual([
      'in-doubt MISSING_FROM_RESULTS',
      'rejected REJECTED_AFTER_DOUBT',
    ]);
    const unit = (name: string): object => ({
      ...BUSINESS_UNIT,
      errorDescription: `Tenant 't' business unit '${name}' does not exist.`,
    });
    expect(verdicts(judgeBatch(results(entry(1, unit('a')), entry(2, unit('b'))), all, NOW))[0]).toBe(
      'rejected BUSINESS_REJECTION',
    );
  });

  test('of a lone record stops nothing for its business unit, and everything for the missing tenant header', () => {
    expect(verdicts(judgeBatch(results(entry(1, BUSINESS_UNIT)), [record(1)], NOW))).toEqual([
      'rejected BUSINESS_REJECTION',
    ]);
    const header = { ...BUSINESS_UNIT, errorDescription: "Tenant header 'X' is mandatory." };
    expect(judgeBatch(results(entry(1, header)), [record(1)], NOW).kind).toBe('configuration');
  });
});

describe('what AMLYZE said', () => {
  const said = {
    resultType: REJECTED,
    errorCode: ' O\u0007-9 ',
    errorDescription: 'Ünknown\n\u001b[31maccount',
    extra: { a: [1, null, true] },
  };

  test('is kept verbatim, control characters and unknown fields too', () => {
    const [verdict] = settled(judgeBatch(results(entry(1, said)), [record(1)], NOW)).records;
    expect(verdict).toMatchObject({ errorCode: said.errorCode, errorDescription: said.errorDescription });
    expect(JSON.parse(verdict?.answer ?? '')).toEqual(entry(1, said));
  });

  test('keeps the digits of every number', () => {
    const text =
      '{"results":[{"communicationNumber":"obg-1","resultType":"REQUEST_ACCEPTED","n":12345678901234567890.1200e+2}]}';
    const [verdict] = settled(judgeBatch({ ...results(), body: text }, [record(1)], NOW)).records;
    expect(verdict?.answer).toContain('"n":12345678901234567890.1200e+2');
  });

  test('is cut at 200 and 4000 characters, between characters', () => {
    const long = { resultType: REJECTED, errorCode: `a${'💶'.repeat(300)}`, errorDescription: 'd'.repeat(10_000) };
    const [verdict] = settled(judgeBatch(results(entry(1, long)), [record(1)], NOW)).records;
    expect(verdict?.errorCode).toBe(`a${'💶'.repeat(99)}…`);
    expect(verdict?.errorDescription).toHaveLength(4_001);
    expect(verdict?.answer).toHaveLength(4_001);
  });

  test('stands in the detail of a failed call on one line, without the body of a page', () => {
    const failed = judgeBatch(
      answer(500, { errorCode: '500', errorDescription: 'Processing\nfailed' }),
      [record(1)],
      NOW,
    );
    expect(failed).toEqual({ kind: 'endpoint-failed', doubt: true, detail: 'status 500: 500 Processing\\u{a}failed' });
    const page = judgeBatch(answer(502, '<html>internal-host-17</html>'), [record(1)], NOW);
    expect(JSON.stringify(page)).not.toContain('internal-host-17');
    expect(page).toMatchObject({ detail: expect.stringContaining('502') as string });
  });
});

describe('the single endpoint', () => {
  test.each([{ communicationNumber: 'obg-2' }, { accountExtId: 'ext-2' }])(
    'that answers for another record (%j) leaves ours in doubt',
    (other) => {
      const judged = judgeSingle(answer(200, { ...ACCEPTED, ...other }), record(1), NOW);
      expect(verdicts(judged)).toEqual(['in-doubt OTHER_ACCOUNT']);
      expect(settled(judged).alarms).toHaveLength(1);
    },
  );
});

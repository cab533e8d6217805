import { answer, asOperation, entry, failure, operation, record } from '../../test/fixtures/amlyze/answers';
import { EXAMPLES, type Example, type Expectation } from '../../test/fixtures/amlyze/verdict-examples';
import { isJsonObject, parseJson } from '../shared/json';
import { hear } from './hear';
import { judgeOperation, judgeOperationBatch } from './operation-verdict';
import { wordsOf, type Subject } from './saying';
import { judgeBatch, judgeSingle, type CallVerdict, type SentRecord } from './verdict';
import { findRow, VERDICT_TABLE } from './verdict-table';

const NOW = new Date('2026-01-01T00:00:00.000Z');

function verdictOf(example: Example, subject: Subject, past: Partial<SentRecord>): CallVerdict {
  const said = example.result ?? answer(example.status ?? 200, { results: [entry(1, example.says ?? {})] });
  if (subject === 'operation') {
    const [sent, result] = [operation(1, past), asOperation(said)];
    return example.on === 'single' ? judgeOperation(result, sent, NOW) : judgeOperationBatch(result, [sent], NOW);
  }
  const sent = record(1, past);
  return example.on === 'single' ? judgeSingle(said, sent, NOW) : judgeBatch(said, [sent], NOW);
}

function expectVerdict(verdict: CallVerdict, expected: Expectation): void {
  if ('kind' in expected) {
    expect(verdict).toMatchObject(expected);
    return;
  }
  expect(verdict).toMatchObject({ kind: 'settled', records: [{ id: '1', ...expected }] });
  if (verdict.kind === 'settled' && expected.reason === undefined) expect(verdict.records[0]?.reason).toBeUndefined();
}

function rowOf({ on, result, says, status }: Example, subject: Subject): string {
  if (on !== 'item' && result) return findRow(hear(result, on, subject).saying).name;
  const object = parseJson(JSON.stringify(says));
  if (!isJsonObject(object)) throw new Error('an item is an object');
  return findRow({
    subject,
    source: 'item',
    status: status ?? 200,
    bytesMayHaveLeft: true,
    shape: 'json-object',
    ...wordsOf(object),
  }).name;
}

const CASES = EXAMPLES.flatMap((example, index) =>
  (example.subject === undefined ? (['balance', 'operation'] as const) : [example.subject]).map(
    (subject) => [example.row, subject, example.on, index, example] as const,
  ),
);

describe('the verdict table', () => {
  test.each(CASES)(
    'decides "%s" for a %s on the %s (example %i) in every column of doubt',
    (row, subject, _on, _index, example) => {
      expect(rowOf(example, subject)).toBe(row);
      const verdict = (past: Partial<SentRecord>): CallVerdict => verdictOf(example, subject, past);
      const doubted = example.doubted ?? example.clear;
      expectVerdict(verdict({}), example.clear);
      expectVerdict(verdict({ inDoubtBefore: true }), doubted);
      expectVerdict(verdict({ rejectedBefore: true }), example.clearAfterRejection ?? example.clear);
      expectVerdict(verdict({ inDoubtBefore: true, rejectedBefore: true }), example.doubtedAfterRejection ?? doubted);
      for (const rejectedBefore of [false, true]) {
        const past = { rejectedBefore, collidedBefore: true };
        expectVerdict(verdict(past), example.clearAfterCollision ?? example.clear);
        expectVerdict(verdict({ ...past, inDoubtBefore: true }), example.doubtedAfterCollision ?? doubted);
      }
    },
  );

  test('has an example for each of its rows', () => {
    expect(new Set(EXAMPLES.map(({ row }) => row))).toEqual(new Set(VERDICT_TABLE.map(({ name }) => name)));
  });

  test('decides about calls where a batch speaks and about records where an item speaks, and its last row fits everything', () => {
    const decisions = (from: 'batch' | 'item'): string[] =>
      VERDICT_TABLE.filter((row) => row.from.includes(from)).flatMap((row) => [
        row.withoutDoubt.about,
        row.withDoubt.about,
      ]);
    expect(new Set(decisions('batch'))).toEqual(new Set(['call']));
    expect(new Set(decisions('item'))).toEqual(new Set(['record']));
    const { name, from, withoutDoubt, withDoubt, ...conditions } = VERDICT_TABLE.at(-1) ?? {};
    expect([name, from, withoutDoubt]).toEqual(['anything else', ['batch', 'single'], withDoubt]);
    expect(conditions).toEqual({});
  });

  test('never says accepted and in doubt at once, and gives a reason for everything that is not plainly accepted', () => {
    for (const row of VERDICT_TABLE) {
      for (const decision of [
        row.withoutDoubt,
        row.withDoubt,
        row.afterRejection?.withoutDoubt,
        row.afterRejection?.withDoubt,
        row.afterCollision?.withoutDoubt,
        row.afterCollision?.withDoubt,
      ]) {
        if (decision?.about !== 'record') continue;
        if (decision.verdict === 'accepted') expect(decision.inDoubt).toBe(false);
        else expect(decision.reason).toBeTruthy();
        if (decision.verdict === 'in-doubt') expect(decision.inDoubt).toBe(true);
      }
    }
  });
});

describe('the wait after 429', () => {
  test('is what Retry-After asks for, in seconds or as a date, uncapped', () => {
    expect(judgeBatch(answer(429, '', { 'retry-after': '7200' }), [record(1)], NOW)).toMatchObject({
      retryAfterMs: 7_200_000,
    });
    const until = answer(429, '', { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' });
    expect(judgeSingle(until, record(1), NOW)).toMatchObject({ retryAfterMs: 30_000 });
  });

  test('is heard where the body did not come whole', () => {
    const cut = { ...failure('response-truncated', true, 429), retryAfter: '120' };
    expect(judgeBatch(cut, [record(1)], NOW)).toMatchObject({ kind: 'rate-limited', retryAfterMs: 120_000 });
  });

  test('is left to the caller where the header is absent', () => {
    for (const result of [answer(429, ''), failure('response-truncated', true, 429)]) {
      const verdict = judgeBatch(result, [record(1)], NOW);
      expect(verdict).toMatchObject({ kind: 'rate-limited', retryAfterMs: undefined });
    }
  });
});

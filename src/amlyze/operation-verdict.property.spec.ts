import fc from 'fast-check';
import { EXISTS, operation, REJECTED, results, USED } from '../../test/fixtures/amlyze/answers';
import { judgeOperationBatch, type SentOperation } from './operation-verdict';

const NOW = new Date('2026-01-01T00:00:00.000Z');
const WORDS = ['REQUEST_ACCEPTED', REJECTED, 'USED', 'EXISTS', 'FAILED'] as const;
type Word = (typeof WORDS)[number];

const SAYINGS: Record<Word, object> = {
  REQUEST_ACCEPTED: { resultType: 'REQUEST_ACCEPTED' },
  REQUEST_REJECTED: { resultType: REJECTED, errorCode: 'O003', errorDescription: 'Description is mandatory.' },
  USED: { resultType: REJECTED, errorCode: 'O001', errorDescription: USED },
  EXISTS: { resultType: REJECTED, errorCode: 'O005', errorDescription: EXISTS },
  FAILED: { resultType: REJECTED, errorCode: '500', errorDescription: 'Processing failed' },
};

type Change = 'drop' | 'double' | 'conflict' | 'null' | 'stranger' | 'other-unit' | 'no-unit' | 'other-number';
const CHANGES: Change[] = ['drop', 'double', 'conflict', 'null', 'stranger', 'other-unit', 'no-unit', 'other-number'];

interface Entry {
  word: Word;
  name: string;
  unit: string | undefined;
  number: string | undefined;
}
/** `undefined` stands for a null in the list. */
type List = (Entry | undefined)[];

const scene = fc.record({
  // Few names and units, so that operations of one name are the rule and not the exception.
  sent: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom('x', 'y', 'z'),
      unit: fc.constantFrom(undefined, 'a', 'b', 'c'),
      word: fc.constantFrom(...WORDS),
      inDoubtBefore: fc.boolean(),
      rejectedBefore: fc.boolean(),
      collidedBefore: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12, selector: ({ name, unit }) => `${name}|${unit ?? ''}` },
  ),
  changes: fc.array(fc.record({ change: fc.constantFrom(...CHANGES), at: fc.nat({ max: 11 }) }), { maxLength: 8 }),
  order: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
});

function changed(list: List, sent: Entry[], { change, at }: { change: Change; at: number }): List {
  const about = sent[at % sent.length];
  if (about === undefined) return list;
  const other = about.word === 'REQUEST_ACCEPTED' ? REJECTED : 'REQUEST_ACCEPTED';
  switch (change) {
    case 'drop':
      return list.filter((entry) => entry?.name !== about.name || entry.unit !== about.unit);
    case 'double':
      return [...list, about];
    case 'conflict':
      return [...list, { ...about, word: other }];
    case 'null':
      return [...list, undefined];
    case 'stranger':
      return [...list, { ...about, name: 'somebody-else', word: 'REQUEST_ACCEPTED' }];
    case 'other-unit':
      return [...list, { ...about, unit: 'elsewhere', word: 'REQUEST_ACCEPTED' }];
    case 'no-unit':
      return [...list, { ...about, unit: undefined }];
    case 'other-number':
      return [...list, { ...about, number: 'obg-elsewhere' }];
  }
}

/** By the vendor's words alone: every record that this entry can be about. */
function canMean(entry: Entry, all: readonly SentOperation[]): SentOperation[] {
  const named = all.filter(({ operationExtId }) => operationExtId === entry.name);
  if (entry.unit === undefined) return named;
  const exact = named.filter(({ businessUnit }) => businessUnit === entry.unit);
  return exact.length > 0 ? exact : named.filter(({ businessUnit }) => businessUnit === undefined);
}

describe('a right answer about operations, mutated at will', () => {
  test('never yields accepted for what was not acknowledged, nor settles what was said of nobody or of several', () => {
    fc.assert(
      fc.property(scene, ({ sent, changes, order }) => {
        const records = sent.map(({ name, unit, ...past }, n) =>
          operation(n, { operationExtId: name, businessUnit: unit, ...past }),
        );
        const right: Entry[] = sent.map(({ name, unit, word }) => ({ name, unit, word, number: undefined }));
        const list = changes.reduce((entries, change) => changed(entries, right, change), right as List);
        const shuffled = list.map((entry, n) => ({ entry, key: order[n] ?? 0 })).sort((a, b) => a.key - b.key);
        const body = shuffled.map(({ entry }) =>
          entry === undefined
            ? null
            : {
                operationExtId: entry.name,
                businessUnit: entry.unit,
                communicationNumber: entry.number,
                ...SAYINGS[entry.word],
              },
        );
        const judged = judgeOperationBatch(results(...body), records, NOW);
        if (judged.kind !== 'settled') throw new Error(`not settled but ${judged.kind}`);
        expect(judged.records.map(({ id }) => id)).toEqual(records.map(({ id }) => id));
        judged.records.forEach(({ verdict }, n) => {
          const record = records[n];
          if (record === undefined) throw new Error('more verdicts than records');
          const about = list.flatMap((entry) => (entry && canMean(entry, records).includes(record) ? [entry] : []));
          const words = new Set(about.map(({ word }) => word));
          const [word] = words;
          const certain =
            words.size === 1 &&
            about.every((entry) => entry.number === undefined && canMean(entry, records).length === 1);
          const replayed =
            (word === 'USED' || word === 'EXISTS') &&
            record.inDoubtBefore &&
            !record.rejectedBefore &&
            record.collidedBefore !== true;
          expect(verdict === 'accepted').toBe(certain && (word === 'REQUEST_ACCEPTED' || replayed));
          expect(verdict === 'in-doubt').toBe(!certain || word === 'FAILED');
        });
      }),
      { numRuns: 500 },
    );
  });
});

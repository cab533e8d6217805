import fc from 'fast-check';
import { entry, record, REJECTED, results, USED } from '../../test/fixtures/amlyze/answers';
import { judgeBatch, type SentRecord } from './verdict';

const NOW = new Date('2026-01-01T00:00:00.000Z');

describe('a right answer, mutated at will', () => {
  type Mutation = {
    kind: 'drop' | 'double' | 'conflict' | 'null' | 'stranger' | 'other-account' | 'no-account';
    at: number;
  };
  const mutation: fc.Arbitrary<Mutation> = fc.record({
    kind: fc.constantFrom('drop', 'double', 'conflict', 'null', 'stranger', 'other-account', 'no-account'),
    at: fc.nat({ max: 19 }),
  });
  const scene = fc.record({
    words: fc.array(fc.constantFrom('REQUEST_ACCEPTED', REJECTED, 'USED', 'FAILED'), { minLength: 1, maxLength: 20 }),
    past: fc.array(
      fc.record({ inDoubtBefore: fc.boolean(), rejectedBefore: fc.boolean(), collidedBefore: fc.boolean() }),
      {
        minLength: 20,
        maxLength: 20,
      },
    ),
    mutations: fc.array(mutation, { maxLength: 12 }),
    order: fc.array(fc.nat(), { minLength: 60, maxLength: 60 }),
  });

  const say = (word: string): object => {
    if (word === 'USED') return { resultType: REJECTED, errorCode: 'O005', errorDescription: USED };
    if (word === 'FAILED')
      return { resultType: REJECTED, errorCode: '500', errorDescription: 'failed processing account balance' };
    return word === REJECTED
      ? { resultType: REJECTED, errorCode: '003', errorDescription: 'linked' }
      : { resultType: word };
  };

  test('never yields accepted for what was not acknowledged, nor settles what nobody answered', () => {
    fc.assert(
      fc.property(scene, ({ words, past, mutations, order }) => {
        const sent = words.map((_, n): SentRecord => record(n, past[n] ?? {}));
        // What each record was told, by the mutated list itself: the oracle knows nothing of the code's matching.
        let entries: { about: number | undefined; word: string; clean: boolean; body: unknown }[] = words.map(
          (word, n) => ({
            about: n,
            word,
            clean: true,
            body: entry(n, say(word)),
          }),
        );
        for (const { kind, at } of mutations) {
          const n = at % words.length;
          const word = words[n] ?? '';
          const other = word === 'REQUEST_ACCEPTED' ? REJECTED : 'REQUEST_ACCEPTED';
          if (kind === 'drop') entries = entries.filter(({ about }) => about !== n);
          if (kind === 'double') entries.push({ about: n, word, clean: true, body: entry(n, say(word)) });
          if (kind === 'conflict') entries.push({ about: n, word: other, clean: true, body: entry(n, say(other)) });
          if (kind === 'null') entries.push({ about: undefined, word: '', clean: true, body: null });
          if (kind === 'stranger')
            entries.push({ about: undefined, word, clean: true, body: entry(100 + at, say('REQUEST_ACCEPTED')) });
          if (kind === 'other-account')
            entries.push({ about: n, word, clean: false, body: entry(n, { ...say(word), accountExtId: 'ext-other' }) });
          if (kind === 'no-account')
            entries.push({ about: n, word, clean: true, body: { communicationNumber: `obg-${n}`, ...say(word) } });
        }
        const shuffled = entries.map((said, n) => ({ said, key: order[n] ?? 0 })).sort((a, b) => a.key - b.key);
        const judged = judgeBatch(results(...shuffled.map(({ said }) => said.body)), sent, NOW);
        if (judged.kind !== 'settled') throw new Error(`not settled but ${judged.kind}`);

        expect(judged.records.map(({ id }) => id)).toEqual(sent.map(({ id }) => id));
        judged.records.forEach((verdict, n) => {
          const about = entries.filter((said) => said.about === n);
          const told = new Set(about.map(({ word }) => word));
          const certain = told.size === 1 && about.every(({ clean }) => clean);
          const before = sent[n];
          const replayed =
            told.has('USED') && before?.inDoubtBefore === true && !before.rejectedBefore && !before.collidedBefore;
          const acknowledged = certain && (told.has('REQUEST_ACCEPTED') || replayed);
          expect(verdict.verdict === 'accepted').toBe(acknowledged);
          expect(verdict.verdict === 'in-doubt').toBe(!certain || told.has('FAILED'));
        });
      }),
      { numRuns: 500 },
    );
  });
});

import { Step, stepOf } from '../../src/balances/step';
import { showSteps, Wordings, type StoredStep } from '../../src/sync/wordings';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

const sign = stepOf('sign');
const amount = (value: string): Step => sign`Amount ${value} carries its own "sign": ${value}.`;
const line = (): Step => stepOf('credit-line')`No credit line\nis reported.`;

describe('the wordings of steps', () => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterAll(() => test.drop());

  const kept = (wordings: Wordings, steps: Step[]): StoredStep[] => JSON.parse(wordings.toJson(steps) ?? '[]');
  const shown = (stored: StoredStep[]): Promise<unknown> => showSteps(test.database, stored);

  it('are carried whole until they have a number, and read the same before and after', async () => {
    const wordings = new Wordings(test.database);
    const steps = [amount('1.20'), line(), amount('')];
    const text = steps.map(({ rule, text }) => ({ rule, text }));

    const first = kept(wordings, steps);
    expect(first).toEqual(text);
    await wordings.learn();
    const second = kept(wordings, [steps[0] ?? line(), amount('7')]);
    expect(second).toEqual([
      [expect.any(Number), '1.20', '1.20'],
      [expect.any(Number), '7', '7'],
    ]);
    expect(await shown(first)).toEqual(text);
    expect(await shown(second)).toEqual([text[0], { rule: 'sign', text: 'Amount 7 carries its own "sign": 7.' }]);
    expect(await shown([...first, ...second])).toHaveLength(5);
  });

  it('have one number over all replicas and restarts', async () => {
    const [one, other] = [new Wordings(test.database), new Wordings(test.database)];
    for (const wordings of [one, other]) kept(wordings, [amount('1')]);
    await Promise.all([one.learn(), other.learn()]);
    expect(kept(one, [amount('2')])).toEqual(kept(other, [amount('2')]));
    expect(await test.database.query(`select rule, words from wording where rule = 'sign'`)).toEqual([
      { rule: 'sign', words: ['Amount ', ' carries its own "sign": ', '.'] },
    ]);
  });

  it('are one line of JSON, and none where there is no step', () => {
    const wordings = new Wordings(test.database);
    expect(wordings.toJson([line()])).not.toContain('\n');
    expect(wordings.toJson([])).toBeNull();
  });

  it('go on being carried whole while they cannot be kept', async () => {
    const wordings = new Wordings(test.database);
    const impossible = (): Step => new Step('sign', WORDS, []);
    kept(wordings, [impossible()]);
    await wordings.learn();
    expect(kept(wordings, [impossible()])).toEqual([{ rule: 'sign', text: 'no \0 text' }]);
  });

  it('stand for ever', async () => {
    for (const sql of [`update wording set words = '{x}'`, 'delete from wording', 'truncate wording']) {
      await expect(test.database.query(sql)).rejects.toMatchObject({ code: '23001' });
    }
  });

  it('that are missing are an error, not a gap in an explanation', async () => {
    await expect(shown([[4711, 'x']])).rejects.toThrow('wording 4711');
  });
});

/** Postgres keeps no text with this character. */
const WORDS = ['no \0 text'];

import { Step, stepOf, type StoredStep } from '../../src/balances/step';
import { showSteps, Wordings } from '../../src/sync/wordings';
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
    // Two sessions, so that neither of them is opened, and gives numbers up, while the other learns.
    await Promise.all([1, 2].map(() => test.database.query('select pg_sleep(0.01)')));
    for (const wordings of [one, other]) kept(wordings, [amount('1')]);
    await Promise.all([one.learn(), other.learn()]);
    expect(kept(one, [amount('2')])).toEqual(kept(other, [amount('2')]));
    expect(await test.database.query(`select rule, words from wording where rule = 'sign'`)).toEqual([
      { rule: 'sign', words: ['Amount ', ' carries its own "sign": ', '.'] },
    ]);
  });

  it('are carried whole again once a session was opened: it may be with a server that never had the numbers', async () => {
    const wordings = new Wordings(test.database);
    kept(wordings, [amount('1')]);
    await wordings.learn();
    const known = kept(wordings, [amount('1')]);
    expect(known).toEqual([[expect.any(Number), '1', '1']]);
    const before = test.database.sessionsOpened;
    // More at a time than there are sessions so far.
    for (let n = 2; test.database.sessionsOpened === before; n += 1)
      await Promise.all(Array.from({ length: n }, () => test.database.query('select pg_sleep(0.01)')));
    expect(kept(wordings, [amount('1')])).toEqual([{ rule: 'sign', text: amount('1').text }]);
    await wordings.learn();
    expect(kept(wordings, [amount('1')])).toEqual(known);
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

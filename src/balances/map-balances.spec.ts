import { creditLine, FETCHED_AT, listOf, mappingInput, SIGNED_SETTINGS } from '../../test/support/mapping';
import { JsonNumber } from '../shared/json';
import type { BalanceTypeMap, MappingInput, ReportedBalance } from './balance';
import { mapBalances } from './map-balances';
import { READING_OUTCOMES } from './outcome';

const TWO_CODES: BalanceTypeMap = [
  { type: 'ClosingBooked', code: 'STATEMENT_BALANCE' },
  { type: 'InterimAvailable', code: 'DAILY_BALANCE' },
];

/** What would be sent, and else the outcome. */
function sent(elements: ReportedBalance[], changes: Parameters<typeof mappingInput>[1] = {}): string {
  const { outcome, balances } = mapBalances(mappingInput(elements, changes));
  return [outcome, ...balances.map((balance) => `${balance.providerType} ${balance.value}`)].join(', ');
}

describe('mapBalances, several AMLYZE balance types', () => {
  const settings = { balanceTypes: TWO_CODES };
  const daily = { type: 'InterimAvailable', amount: '5.00' };

  it.each<[string, Partial<ReportedBalance>[], MappingInput['pinnedTypes'], string]>([
    ['maps each for itself', [daily, {}], {}, 'READ, ClosingBooked 7896.21, InterimAvailable 5.00'],
    ['is read where only one of them is reported', [daily], {}, 'READ, InterimAvailable 5.00'],
    ['is not read where none is reported', [{ type: 'Expected' }], {}, 'NO_ELIGIBLE_BALANCE'],
    [
      'names the one that fails and keeps the others',
      [daily, { amount: '-1' }],
      {},
      'SIGN_CONTRADICTION, InterimAvailable 5.00',
    ],
    [
      'names the first that fails, in the order of the map',
      [{ ...daily, amount: '' }, { amount: '-1' }],
      {},
      'SIGN_CONTRADICTION',
    ],
    ['names a failure before an absence', [{ ...daily, amount: '' }], {}, 'INVALID_PAYLOAD'],
    [
      'fails where one of them is pinned and missing',
      [daily],
      { STATEMENT_BALANCE: 'ClosingBooked' },
      'NO_ELIGIBLE_BALANCE, InterimAvailable 5.00',
    ],
    [
      'does not care for a pin of another type',
      [daily],
      { DAILY_BALANCE: 'InterimAvailable', OTHER: 'ClosingBooked' },
      'READ, InterimAvailable 5.00',
    ],
  ])('%s', (_title, elements, pinnedTypes, expected) => {
    expect(sent(listOf(...elements), { settings, pinnedTypes })).toBe(expected);
  });

  it('says in a step why one of them is not sent', () => {
    const { steps } = mapBalances(mappingInput(listOf(daily), { settings }));
    expect(steps.map(({ text }) => text)).toContain(
      'Nothing is sent as STATEMENT_BALANCE (NO_ELIGIBLE_BALANCE): The bank reports "InterimAvailable", but STATEMENT_BALANCE is made of ClosingBooked.',
    );
  });

  it('may make two of them of one type', () => {
    const both = ['A', 'B'].map((code) => ({ type: 'ClosingBooked', code }));
    const { balances } = mapBalances(mappingInput(listOf({}), { settings: { balanceTypes: both } }));
    expect(balances.map(({ balanceType }) => balanceType)).toEqual(['A', 'B']);
  });
});

describe('mapBalances, the result', () => {
  it('explains every step from the answer to the balance, in the order of the rules', () => {
    const elements = listOf(
      { type: 'KSAOB.Expected' },
      { dateTime: '2026-03-10T13:40:00+03:00', creditLines: [creditLine()] },
      { type: 'KSAOB.InterimBooked', currency: 'USD' },
    );
    const { steps, ...result } = mapBalances(mappingInput(elements));
    expect({ ...result, steps: steps.map(({ rule, text }) => ({ rule, text })) }).toEqual({
      outcome: 'READ',
      steps: [
        { rule: 'selection', text: '1 reported balance of a type outside the map: "KSAOB.Expected"; not sent.' },
        {
          rule: 'selection',
          text: '1 of 3 reported balances can be STATEMENT_BALANCE in SAR: "KSAOB.ClosingBooked".',
        },
        {
          rule: 'selection',
          text: 'ClosingBooked (no. 2) is chosen: it comes first in the map for STATEMENT_BALANCE.',
        },
        { rule: 'sign', text: 'Amount 7896.21 with creditDebitIndicator "KSAOB.Credit" is 7896.21.' },
        {
          rule: 'credit-line',
          text: 'The included credit line is taken out by its undrawn rest: 7896.21 - 5000.00 = 2896.21.',
        },
        { rule: 'balance-at', text: `The bank's time "2026-03-10T13:40:00+03:00" is 2026-03-10T10:40:00.000Z.` },
        { rule: 'outcome', text: 'STATEMENT_BALANCE is 2896.21 SAR at 2026-03-10T10:40:00.000Z.' },
      ],
      balances: [
        {
          balanceType: 'STATEMENT_BALANCE',
          providerType: 'ClosingBooked',
          value: '2896.21',
          balanceAt: '2026-03-10T10:40:00.000Z',
          balanceAtSource: 'bank',
        },
      ],
    });
  });

  it('lets the fetch time stand in where the contract has no time, and says so', () => {
    const elements = [{ index: 0, type: 'available', currency: 'PLN', amount: new JsonNumber('4.200') }];
    const result = mapBalances({ ...mappingInput(elements, { currency: 'PLN' }), settings: SIGNED_SETTINGS });
    expect(result.balances).toEqual([
      {
        balanceType: 'STATEMENT_BALANCE',
        providerType: 'available',
        value: '4.200',
        balanceAt: FETCHED_AT.toISOString(),
        balanceAtSource: 'fetch',
      },
    ]);
    expect(result.steps.find(({ rule }) => rule === 'balance-at')?.text).toContain('the time of the fetch stands in');
  });

  it('refuses a balance without time where the contract has one, and never puts the fetch time in', () => {
    const { dateTime: _, ...timeless } = listOf({})[0] ?? { index: 0, type: '', currency: '', amount: '' };
    expect(sent([timeless])).toBe('INVALID_PAYLOAD');
    expect(sent(listOf({ dateTime: 'YYYY-MM-DDTHH:MM:SS.SSSZ' }))).toBe('INVALID_PAYLOAD');
  });

  it('carries the equivalent value of the balance date where one is wanted and a rate is known', () => {
    const asked: string[] = [];
    const equivalent = {
      currency: 'EUR',
      rate: (from: string, on: string) => {
        asked.push(`${from} ${on}`);
        return { base: 'EUR', quote: 'SAR', rateDate: '2026-03-09', rate: '4', source: 'desk' };
      },
    };
    const elements = listOf({ amount: '10.00', dateTime: '2026-03-10T01:00:00+03:00' });
    const { balances } = mapBalances(mappingInput(elements, { equivalent }));
    expect(balances[0]?.equivalentValue).toBe('2.50');
    expect(asked).toEqual(['SAR 2026-03-09']);
  });

  it('leaves the equivalent value out where no rate is known', () => {
    const equivalent = { currency: 'EUR', rate: () => undefined };
    const [balance] = mapBalances(mappingInput(listOf({}), { equivalent })).balances;
    expect(balance).toBeDefined();
    expect(balance).not.toHaveProperty('equivalentValue');
  });

  it('keeps steps short, however much a bank reports', () => {
    const elements = listOf(...Array.from({ length: 5000 }, (_, i) => ({ type: `${i}`.repeat(1000) })), {});
    const { outcome, steps } = mapBalances(mappingInput(elements));
    expect(outcome).toBe('READ');
    expect(Math.max(...steps.map(({ text }) => text.length))).toBeLessThan(400);
  });

  it.each([
    ['the same balance', 'READ', () => ({})],
    ['another amount each time', 'AMBIGUOUS_BALANCE', (i: number) => ({ amount: `${i}` })],
  ])('keeps them few and short where a bank lists one type thousands of times with %s', (_what, expected, changes) => {
    const elements = listOf(...Array.from({ length: 5000 }, (_, i) => changes(i)));
    const { outcome, steps } = mapBalances(mappingInput(elements));
    expect(outcome).toBe(expected);
    expect(steps.length).toBeLessThan(20);
    expect(Math.max(...steps.map(({ text }) => text.length))).toBeLessThan(400);
    expect(steps[1]?.text).toContain('(no. 1 and no. 2 and no. 3 and no. 4 and no. 5 and others)');
  });

  it('knows no outcome that the list of outcomes does not hold', () => {
    expect(new Set(READING_OUTCOMES).size).toBe(21);
  });
});

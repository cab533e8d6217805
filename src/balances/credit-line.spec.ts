import { creditLine, INDICATOR_SETTINGS, reported } from '../../test/support/mapping';
import type { JsonValue } from '../shared/json';
import type { MappingSettings } from './balance';
import { withoutCreditLine } from './credit-line';
import { Refusal } from './outcome';
import type { SignedAmount } from './sign';
import type { Step } from './step';

const { creditLine: _, ...NO_POLICY } = INDICATOR_SETTINGS;
const AVAILABLE: MappingSettings = { ...NO_POLICY, creditLine: 'own-funds' };
const LIMIT: MappingSettings = { ...AVAILABLE, creditLineAmount: 'limit' };
const AS_REPORTED: MappingSettings = { ...NO_POLICY, creditLine: 'as-reported' };

function figure(
  value: string,
  creditLines: JsonValue,
  settings = AVAILABLE,
  side: SignedAmount['side'] = 'credit',
): string {
  const result = withoutCreditLine({ value, side }, reported({ creditLines }), settings, []);
  return result instanceof Refusal ? result.outcome : result;
}

describe('withoutCreditLine, own funds', () => {
  const excluded = creditLine({ included: false, amount: 'not even a number' });

  it.each<[string, string, JsonValue, string]>([
    ['an included line is taken out', '7896.21', [creditLine()], '2896.21'],
    ['the larger scale of the two is kept', '7896.2', [creditLine({ amount: '5000.000' })], '2896.200'],
    ['a line of zero takes nothing out', '10.00', [creditLine({ amount: '0' })], '10.00'],
    ['no list changes nothing', '7896.21', null, '7896.21'],
    ['an empty list changes nothing', '7896.21', [], '7896.21'],
    ['a line that is not included changes nothing, whatever its amount', '7896.21', [excluded], '7896.21'],
    ['one included line among others is taken out', '7896.21', [excluded, creditLine(), excluded], '2896.21'],
    ['a result of zero leaves the drawn part unknown', '5000.00', [creditLine()], 'CREDIT_LINE_UNCLEAR'],
    ['a result below zero leaves the drawn part unknown', '4999.99', [creditLine()], 'CREDIT_LINE_UNCLEAR'],
    ['two included lines', '7896.21', [creditLine(), creditLine()], 'CREDIT_LINE_UNCLEAR'],
    ['a line in another currency', '7896.21', [creditLine({ currency: 'USD' })], 'CREDIT_LINE_UNCLEAR'],
    ['a line without currency', '7896.21', [creditLine({ currency: null })], 'CREDIT_LINE_UNCLEAR'],
    ['a negative line', '7896.21', [creditLine({ amount: '-5000.00' })], 'CREDIT_LINE_UNCLEAR'],
    ['a line whose amount cannot be read', '7896.21', [creditLine({ amount: '5,000' })], 'CREDIT_LINE_UNCLEAR'],
    ['a line without amount', '7896.21', [{ included: true, type: 'Available' }], 'CREDIT_LINE_UNCLEAR'],
    ['a flag that is a text', '7896.21', [creditLine({ included: 'true' })], 'CREDIT_LINE_UNCLEAR'],
    ['a flag that is null', '7896.21', [creditLine({ included: null })], 'CREDIT_LINE_UNCLEAR'],
    ['a line that is no object', '7896.21', ['5000.00'], 'CREDIT_LINE_UNCLEAR'],
    ['a line that stands alone, not in a list', '7896.21', creditLine(), 'CREDIT_LINE_UNCLEAR'],
  ])('%s', (_title, value, lines, expected) => {
    expect(figure(value, lines)).toBe(expected);
  });

  it('refuses an included line in an overdrawn balance, and leaves an overdrawn balance without one', () => {
    expect(figure('-100.00', [creditLine()], AVAILABLE, 'debit')).toBe('CREDIT_LINE_UNCLEAR');
    expect(figure('0.00', [creditLine()], LIMIT, 'debit')).toBe('CREDIT_LINE_UNCLEAR');
    expect(figure('-100.00', [excluded], AVAILABLE, 'debit')).toBe('-100.00');
    expect(figure('-100.00', [], AVAILABLE, 'debit')).toBe('-100.00');
  });

  it('may fall below zero where the amount is the whole limit', () => {
    expect(figure('4999.99', [creditLine()], LIMIT)).toBe('-0.01');
    expect(figure('5000.00', [creditLine()], LIMIT)).toBe('0.00');
    expect(figure('7896.21', [creditLine()], LIMIT)).toBe('2896.21');
  });
});

describe('withoutCreditLine, other policies', () => {
  it('leaves the figure as reported where the connection says so, whatever the lines hold', () => {
    for (const lines of [[creditLine()], [creditLine(), creditLine()], 'nonsense', [{}], null]) {
      expect(figure('7896.21', lines, AS_REPORTED)).toBe('7896.21');
    }
  });

  it('refuses an included line where the connection says nothing, and needs no policy without one', () => {
    expect(figure('7896.21', [creditLine()], NO_POLICY)).toBe('CREDIT_LINE_UNCLEAR');
    expect(figure('7896.21', [creditLine({ included: false })], NO_POLICY)).toBe('7896.21');
    expect(figure('7896.21', null, NO_POLICY)).toBe('7896.21');
  });

  it('explains what was taken out and why', () => {
    const steps: Step[] = [];
    withoutCreditLine(
      { value: '7896.21', side: 'credit' },
      reported({ creditLines: [creditLine()] }),
      AVAILABLE,
      steps,
    );
    expect(steps).toMatchObject([
      {
        rule: 'credit-line',
        text: 'The included credit line is taken out by its undrawn rest: 7896.21 - 5000.00 = 2896.21.',
      },
    ]);
  });
});

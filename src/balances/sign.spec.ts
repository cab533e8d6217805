import { INDICATOR_SETTINGS, reported, SIGNED_SETTINGS } from '../../test/support/mapping';
import { JsonNumber, type JsonValue } from '../shared/json';
import type { ReportedBalance } from './balance';
import { Refusal } from './outcome';
import { readSignedAmount } from './sign';
import type { Step } from './step';

function signed(amount: JsonValue, indicator?: JsonValue, settings = INDICATOR_SETTINGS): string {
  const { creditDebitIndicator: _, ...rest } = reported({ amount });
  const balance: ReportedBalance = indicator === undefined ? rest : { ...rest, creditDebitIndicator: indicator };
  const result = readSignedAmount(balance, settings, []);
  return result instanceof Refusal ? result.outcome : `${result.value} ${result.side}`;
}

describe('readSignedAmount with an indicator', () => {
  it.each<[string, JsonValue, JsonValue, string]>([
    ['Credit leaves the amount as it is', '7896.21', 'Credit', '7896.21 credit'],
    ['Debit makes it negative', '7896.21', 'Debit', '-7896.21 debit'],
    ['the prefix may stand before the word', '7896.21', 'KSAOB.Debit', '-7896.21 debit'],
    ['case and surrounding space do not matter', '1.50', '  ksaob.DEBIT\t', '-1.50 debit'],
    ['a JSON number is taken digit for digit', new JsonNumber('4.200'), 'Debit', '-4.200 debit'],
    ['zero is zero under Credit', '0.00', 'Credit', '0.00 credit'],
    ['zero is zero under Debit, without a minus', '0.00', 'Debit', '0.00 debit'],
    ['minus zero is zero', '-0.00', 'Debit', '0.00 debit'],
    ['a minus beside Debit is a contradiction, not a double negation', '-5.00', 'Debit', 'SIGN_CONTRADICTION'],
    ['a minus beside Credit is a contradiction', '-5.00', 'Credit', 'SIGN_CONTRADICTION'],
    ['a minus in a JSON number counts as well', new JsonNumber('-5e-1'), 'Credit', 'SIGN_CONTRADICTION'],
    ['an ISO code is not one of the two words', '5.00', 'DBIT', 'INVALID_PAYLOAD'],
    ['an unknown word is never taken for Credit', '5.00', 'Both', 'INVALID_PAYLOAD'],
    ['an empty word is none', '5.00', '', 'INVALID_PAYLOAD'],
    ['the prefix alone is none', '5.00', 'KSAOB.', 'INVALID_PAYLOAD'],
    ['a longer word is another word', '5.00', 'Credits', 'INVALID_PAYLOAD'],
    ['another prefix is another word', '5.00', 'UK.Credit', 'INVALID_PAYLOAD'],
    ['null is no indicator', '5.00', null, 'INVALID_PAYLOAD'],
    ['a boolean is no indicator', '5.00', true, 'INVALID_PAYLOAD'],
    ['an amount with a thousands separator is none', '1,234.50', 'Credit', 'INVALID_PAYLOAD'],
    ['an amount of NaN is none', 'NaN', 'Credit', 'INVALID_PAYLOAD'],
    ['an amount of null is none, and not zero', null, 'Credit', 'INVALID_PAYLOAD'],
    ['an empty amount is none, and not zero', '', 'Credit', 'INVALID_PAYLOAD'],
  ])('%s', (_title, amount, indicator, expected) => {
    expect(signed(amount, indicator)).toBe(expected);
  });

  it('refuses an amount without indicator, zero too', () => {
    expect(signed('5.00')).toBe('INVALID_PAYLOAD');
    expect(signed('0')).toBe('INVALID_PAYLOAD');
  });

  it('explains the sign with the values concerned', () => {
    const steps: Step[] = [];
    readSignedAmount(reported({ creditDebitIndicator: 'KSAOB.Debit' }), INDICATOR_SETTINGS, steps);
    expect(steps).toMatchObject([
      { rule: 'sign', text: 'Amount 7896.21 with creditDebitIndicator "KSAOB.Debit" is -7896.21.' },
    ]);
  });
});

describe('readSignedAmount with a signed amount', () => {
  it.each<[string, JsonValue, string | undefined, string]>([
    ['a positive amount stays', new JsonNumber('4.200'), undefined, '4.200 credit'],
    ['a negative amount stays negative', new JsonNumber('-4.200'), undefined, '-4.200 debit'],
    ['minus zero is zero', new JsonNumber('-0.0'), undefined, '0.0 credit'],
    ['a serialised double is written out', new JsonNumber('1.0E-5'), undefined, '0.000010 credit'],
    ['a number that would need rounding is refused', new JsonNumber('1e-11'), undefined, 'INVALID_PAYLOAD'],
    ['an indicator that agrees changes nothing', '-3', 'Debit', '-3 debit'],
    ['an indicator that disagrees is a contradiction', '3', 'Debit', 'SIGN_CONTRADICTION'],
    ['zero agrees with either indicator', '0', 'Debit', '0 credit'],
    ['a word that is no indicator is not looked at', '3', 'Other', '3 credit'],
  ])('%s', (_title, amount, indicator, expected) => {
    expect(signed(amount, indicator, SIGNED_SETTINGS)).toBe(expected);
  });
});

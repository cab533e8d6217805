import { Decimal as Oracle } from 'decimal.js';
import fc from 'fast-check';
import { creditLine, mappingInput, reported } from '../../test/support/mapping';
import { buildAccountBalanceRecord } from '../amlyze/account-balance-record';
import { negate, parseAmount, sameNumber, subtract } from '../shared/decimal';
import { isJsonObject, JsonNumber, parseJson, type JsonValue } from '../shared/json';
import type { MappingResult, MappingSettings, ReportedBalance } from './balance';
import { mapBalances } from './map-balances';
import { READING_OUTCOMES } from './outcome';

const digits = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength, maxLength });

/** A decimal as banks write it, without sign and within the bounds. */
const unsigned = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }), digits(0, 10))
  .map(([integer, fraction]) => (fraction === '' ? `${integer}` : `${integer}.${fraction}`));

/** From the text of a bank's answer to the digits in the bytes for AMLYZE. */
function digitsSent(amountText: string, settings: Partial<MappingSettings>, indicator = 'Credit'): string | undefined {
  const answer = parseJson(`{"amount":${amountText}}`);
  const amount = isJsonObject(answer) ? answer['amount'] : undefined;
  const { balances } = mapBalances(mappingInput([reported({ amount, creditDebitIndicator: indicator })], { settings }));
  const [balance] = balances;
  if (balance === undefined) return undefined;
  const record = buildAccountBalanceRecord({
    communicationNumber: 'obg-1-b-20260310-0',
    requester: 'gateway',
    balanceType: balance.balanceType,
    accountExtId: 'account',
    balanceAt: balance.balanceAt,
    value: balance.value,
  });
  return /"value":([^,}]*)/.exec(record)?.[1];
}

const withSign = (minus: boolean, decimal: string): string =>
  minus && /[1-9]/.test(decimal) ? `-${decimal}` : decimal;

describe('the digits of a balance', () => {
  it('reach the bytes for AMLYZE as the bank wrote them, from a string and from a number', () => {
    fc.assert(
      fc.property(unsigned, fc.boolean(), fc.boolean(), (decimal, debit, quoted) => {
        const text = quoted ? `"${decimal}"` : decimal;
        expect(digitsSent(text, {}, debit ? 'Debit' : 'Credit')).toBe(withSign(debit, decimal));
        const signed = withSign(debit, decimal);
        const own = digitsSent(
          quoted ? `"${signed}"` : signed,
          { signing: 'signed-amount' },
          debit ? 'Debit' : 'Credit',
        );
        expect(own).toBe(signed);
      }),
    );
  });

  it('are written out exactly where the bank sends an exponent, and never leave with one', () => {
    const source = fc
      .tuple(
        fc.bigInt({ min: 0n, max: 10n ** 15n }),
        digits(0, 8),
        fc.constantFrom('e', 'E', 'e+', 'E-', 'e-'),
        digits(1, 2),
      )
      .map(([integer, fraction, e, exponent]) => `${integer}${fraction && `.${fraction}`}${e}${exponent}`);
    fc.assert(
      fc.property(source, (number) => {
        const sent = digitsSent(number, {});
        const exact = new Oracle(number);
        if (sent === undefined) {
          const [mantissa = '', exponent] = number.toLowerCase().split('e');
          const scale = (mantissa.split('.')[1]?.length ?? 0) - Number(exponent);
          expect(scale > 10 || exact.gte('1e18')).toBe(true);
        } else {
          expect(sent).toMatch(/^[0-9]+(\.[0-9]+)?$/);
          expect(exact.eq(sent)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('keep the larger scale where a credit line is taken out', () => {
    fc.assert(
      fc.property(unsigned, unsigned, (amount, line) => {
        const settings = { creditLine: 'own-funds', creditLineAmount: 'limit' } as const;
        const elements = [reported({ amount, creditLines: [creditLine({ amount: line })] })];
        const [balance] = mapBalances(mappingInput(elements, { settings })).balances;
        expect(balance?.value).toBe(subtract(amount, line));
        const scale = Math.max(...[amount, line].map((text) => text.split('.')[1]?.length ?? 0));
        expect(balance?.value.split('.')[1]?.length ?? 0).toBe(scale);
      }),
    );
  });
});

/** Raw values that look a little like what is expected, so that deep rules are reached, and a little not. */
const json: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constantFrom<JsonValue>(null, true, false, '', '0', '-0', '5.00', '-5.00', 'NaN', '1e3', [], [[]]),
  fc.constantFrom(...['0', '-0.0', '5', '-5', '1e400', '5e-1'].map((source) => new JsonNumber(source))),
  fc.string({ maxLength: 5 }),
);
const lines: fc.Arbitrary<JsonValue> = fc.oneof(
  json,
  fc.array(
    fc
      .record({ included: fc.oneof(fc.boolean(), json), amount: json, currency: fc.oneof(fc.constant('SAR'), json) })
      .map(creditLine),
    { maxLength: 3 },
  ),
);
/** Mostly what is expected, else anything: with even odds hardly any element would pass every rule. */
const mostly = (...expected: JsonValue[]): fc.Arbitrary<JsonValue> =>
  fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...expected) }, { weight: 1, arbitrary: json });
const element = fc.record(
  {
    type: mostly('KSAOB.ClosingBooked', 'closingbooked', 'InterimBooked', 'Expected'),
    currency: mostly('SAR', 'SAR', 'USD'),
    amount: mostly('0', '5.00', '5.0', '7', new JsonNumber('5e-1'), '-5.00'),
    creditDebitIndicator: mostly('Credit', 'Credit', 'KSAOB.Debit'),
    creditLines: lines,
    dateTime: mostly('2026-03-10T10:40:00Z', '2026-03-10T13:40:00+03:00', '2026-03-10T10:40:00'),
  },
  { requiredKeys: ['type', 'currency', 'amount'] },
);
const listed = fc
  .array(element, { maxLength: 5 })
  .map((elements) => elements.map((fields, index): ReportedBalance => ({ index, ...fields })));
const settings = fc.record({
  signing: fc.constantFrom('signed-amount', 'indicator'),
  balanceTime: fc.constantFrom('bank', 'fetch'),
  creditLine: fc.constantFrom('own-funds', 'as-reported'),
  creditLineAmount: fc.constantFrom('available', 'limit'),
  timeZone: fc.constantFrom('Asia/Riyadh', 'Europe/Sofia'),
});

/** Every figure that the element could stand for under some rule. */
function derivable(balance: ReportedBalance): string[] {
  const amount = parseAmount(balance.amount);
  if (amount === undefined || balance.currency !== 'SAR') return [];
  const drawn = (Array.isArray(balance.creditLines) ? balance.creditLines : []).flatMap((line) => {
    const money = isJsonObject(line) && line['included'] === true ? line['amount'] : undefined;
    const lineAmount = isJsonObject(money) ? parseAmount(money['amount']) : undefined;
    return lineAmount === undefined ? [] : [subtract(amount, lineAmount)];
  });
  return [amount, negate(amount), ...drawn];
}

const summary = ({ outcome, balances }: MappingResult): unknown => ({ outcome, balances });

describe('whatever a bank reports', () => {
  it('ends in an outcome, and no value is sent that an eligible element does not state', () => {
    let read = 0;
    fc.assert(
      fc.property(listed, settings, (elements, chosen) => {
        const result = mapBalances(mappingInput(elements, { settings: chosen }));
        expect(READING_OUTCOMES).toContain(result.outcome);
        expect(result.outcome === 'READ').toBe(result.reason === undefined);
        expect(result.balances.length).toBe(result.outcome === 'READ' ? 1 : 0);
        expect(result.steps.every(({ rule, text }) => rule !== '' && text.length < 500)).toBe(true);
        for (const { value } of result.balances) {
          read += 1;
          expect(elements.flatMap(derivable)).toContain(value);
        }
      }),
      { numRuns: 3000 },
    );
    expect(read).toBeGreaterThan(100); // or the property would say little
  });

  it('is zero only where the bank says zero, or a line of the same size is taken out of a limit', () => {
    fc.assert(
      fc.property(listed, settings, (elements, chosen) => {
        const limit = chosen.creditLine === 'own-funds' && chosen.creditLineAmount === 'limit';
        fc.pre(!limit);
        const [balance] = mapBalances(mappingInput(elements, { settings: chosen })).balances;
        if (balance === undefined || !sameNumber(balance.value, '0')) return;
        const amounts = elements.map(({ amount }) => parseAmount(amount));
        expect(amounts.some((amount) => amount !== undefined && sameNumber(amount, '0'))).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it('means the same in any order of the list', () => {
    const shuffled = listed.chain((elements) =>
      fc.tuple(fc.constant(elements), fc.shuffledSubarray(elements, { minLength: elements.length })),
    );
    fc.assert(
      fc.property(shuffled, settings, ([elements, permuted], chosen) => {
        const renumbered = permuted.map((balance, index) => ({ ...balance, index }));
        const inOrder = mapBalances(mappingInput(elements, { settings: chosen }));
        const inAnother = mapBalances(mappingInput(renumbered, { settings: chosen }));
        expect(summary(inAnother)).toEqual(summary(inOrder));
      }),
      { numRuns: 2000 },
    );
  });
});

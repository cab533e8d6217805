import {
  absolute,
  compare,
  multiply,
  multiplyRounded,
  sameNumber,
  scaleOf,
  subtract,
  type Decimal,
} from '../shared/decimal';
import { isGiven, type Notes } from './read-fields';
import type { JsonObject } from '../shared/json';
import type { Operation } from './operation';

type Amounts = Pick<Partial<Operation>, 'currency' | 'amount' | 'euroExchangeRate' | 'amountInEuro'>;

/**
 * The rules that tie amount, rate and amount in euro together. In a euro operation a rate of 1 with the same amount says
 * nothing and is dropped, as AMLYZE's page wants the two left out; anything else there is a contradiction.
 */
export function checkAmounts(source: JsonObject, amounts: Amounts, notes: Notes): void {
  if (amounts.currency === undefined) return;
  if (amounts.currency === 'EUR') return checkEuro(source, amounts, notes);
  for (const name of ['euroExchangeRate', 'amountInEuro'] as const) {
    if (!isGiven(source, name)) notes.refuse(name, 'is mandatory where currency is not EUR, but is absent');
  }
  const { amount, euroExchangeRate: rate, amountInEuro: euro } = amounts;
  if (amount !== undefined && rate !== undefined && euro !== undefined) checkRate({ amount, rate, euro }, notes);
}

function checkEuro(source: JsonObject, amounts: Amounts, notes: Notes): void {
  const given = (['euroExchangeRate', 'amountInEuro'] as const).filter((name) => isGiven(source, name));
  if (given.length === 0) return;
  const { amount, euroExchangeRate: rate, amountInEuro: euro } = amounts;
  // A faulty value among them was refused already.
  if (amount === undefined || given.some((name) => amounts[name] === undefined)) return;
  if (rate !== undefined && euro !== undefined && sameNumber(rate, '1') && sameNumber(euro, amount)) {
    for (const name of given) {
      notes.drop(name, 'is not used where currency is EUR: a rate of 1 and an equal amount are left out');
      delete amounts[name];
    }
    return;
  }
  for (const name of given)
    notes.refuse(name, `must be left out where currency is EUR, but ${euroClass(name, amounts)}`);
}

function euroClass(name: 'euroExchangeRate' | 'amountInEuro', { amount = '', ...amounts }: Amounts): string {
  const value = amounts[name] ?? '';
  if (name === 'euroExchangeRate') return sameNumber(value, '1') ? 'is 1' : 'is a number other than 1';
  return sameNumber(value, amount) ? 'is given alone or beside another rate' : 'differs from amount';
}

interface Converted {
  amount: Decimal;
  rate: Decimal;
  euro: Decimal;
}

/**
 * The rate is EUR for one unit of the currency: no page of AMLYZE says so, its samples do, and they round freely. So a
 * little beside the product is sent with a warning, more is not.
 */
function checkRate({ amount, rate, euro }: Converted, notes: Notes): void {
  const product = multiply(amount, rate);
  if (isRounded(euro, amount, rate)) return;
  const inverse = isWithinTwoPercent(multiply(euro, rate), amount);
  const direction = inverse
    ? '; it fits amount divided by euroExchangeRate, but the rate must be EUR for one unit of currency, not units for one EUR'
    : '';
  const rule = `amount multiplied by euroExchangeRate`;
  if (isWithinTwoPercent(euro, product)) notes.warn('amountInEuro', `is up to 2 % beside ${rule}${direction}`);
  else notes.refuse('amountInEuro', `must be ${rule}, but is a number more than 2 % beside it${direction}`);
}

/** Whether it is the product rounded to cents, or to the more decimals that it has itself; half a cent may go either way. */
function isRounded(euro: Decimal, amount: Decimal, rate: Decimal): boolean {
  const scale = Math.max(2, scaleOf(euro));
  if (sameNumber(multiplyRounded(amount, rate, scale), euro)) return true;
  const twiceApart = multiply(absolute(subtract(euro, multiply(amount, rate))), '2');
  return sameNumber(twiceApart, `0.${'0'.repeat(scale - 1)}1`);
}

/** |actual - expected| ≤ 2 % of expected, without a division. */
function isWithinTwoPercent(actual: Decimal, expected: Decimal): boolean {
  return compare(multiply(absolute(subtract(actual, expected)), '50'), expected) <= 0;
}

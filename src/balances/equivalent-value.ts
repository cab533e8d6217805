import { type Decimal, divideRounded, isZero, multiplyRounded } from '../shared/decimal';
import type { MappingInput, Rate } from './balance';
import { stepOf, type Step } from './step';

const equivalentStep = stepOf('equivalent-value');

/** No rate that is older, in days, is used. */
export const MAX_RATE_AGE_DAYS = 7;
const DECIMALS = 2;
const DAY_MS = 86_400_000;

/**
 * The balance in the reference currency, or undefined where no rate is known: the field is then left out of the record,
 * never guessed. `on` is the balance's date in UTC.
 */
export function equivalentValue(
  { value, currency, on }: { value: Decimal; currency: string; on: string },
  wanted: NonNullable<MappingInput['equivalent']>,
  steps: Step[],
): Decimal | undefined {
  if (currency === wanted.currency) {
    steps.push(equivalentStep`The balance is in ${currency} already, so equivalentValue is the value.`);
    return value;
  }
  const found = wanted.rate(currency, on);
  const rate = found && latestRate([found], currency, wanted.currency, on);
  if (rate === undefined) {
    steps.push(
      equivalentStep`No rate of ${currency} and ${wanted.currency} of ${on} or up to 7 days before: no equivalentValue.`,
    );
    return undefined;
  }
  const times = rate.base === currency;
  const equivalent = (times ? multiplyRounded : divideRounded)(value, rate.rate, DECIMALS);
  steps.push(
    equivalentStep`equivalentValue is ${value} ${currency} ${times ? '×' : '÷'} ${rate.rate} = ${equivalent} ${wanted.currency}, by the rate 1 ${rate.base} = ${rate.rate} ${rate.quote} of ${rate.rateDate} (${rate.source}).`,
  );
  return equivalent;
}

/**
 * Of the rates between two currencies, in either direction, the latest that is not after `on` and at most 7 days older.
 * Of two of one date the one that multiplies is taken, since it is the one published for this direction.
 */
export function latestRate(rates: readonly Rate[], from: string, to: string, on: string): Rate | undefined {
  let latest: Rate | undefined;
  for (const rate of rates) {
    if (!converts(rate, from, to) || !isCurrent(rate.rateDate, on)) continue;
    const newer = latest === undefined || rate.rateDate > latest.rateDate;
    if (newer || (rate.rateDate === latest?.rateDate && rate.base === from)) latest = rate;
  }
  return latest;
}

function converts({ base, quote, rate }: Rate, from: string, to: string): boolean {
  const pair = (base === from && quote === to) || (base === to && quote === from);
  // A numeric column can hold NaN, and to PostgreSQL NaN is greater than zero.
  return pair && /^[0-9]+(\.[0-9]+)?$/.test(rate) && !isZero(rate);
}

function isCurrent(rateDate: string, on: string): boolean {
  const ageMs = Date.parse(on) - Date.parse(rateDate);
  return ageMs >= 0 && ageMs <= MAX_RATE_AGE_DAYS * DAY_MS;
}

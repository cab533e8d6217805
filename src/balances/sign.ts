import { type Decimal, isNegative, isZero, negate, parseAmount } from '../shared/decimal';
import type { JsonValue } from '../shared/json';
import type { MappingSettings, ReportedBalance } from './balance';
import { Refusal } from './outcome';
import { show } from './show';
import { comparableCode } from './type-map';
import { stepOf, type Step } from './step';

const sign = stepOf('sign');

export interface SignedAmount {
  value: Decimal;
  side: 'credit' | 'debit';
}

/** The signed amount of one reported balance, or why it has none. No sign is ever dropped and none is guessed. */
export function readSignedAmount(
  balance: ReportedBalance,
  settings: MappingSettings,
  steps: Step[],
): SignedAmount | Refusal {
  const amount = parseAmount(balance.amount);
  if (amount === undefined) {
    return new Refusal('INVALID_PAYLOAD', `The amount ${show(balance.amount)} is not a decimal within the bounds.`);
  }
  const side = readSide(balance.creditDebitIndicator, settings.typePrefix);
  return settings.signing === 'indicator'
    ? signByIndicator(amount, side, balance, steps)
    : keepSign(amount, side, balance, steps);
}

/** Open-banking providers of the OBIE family: the amount is unsigned, the indicator says which side it is on. */
function signByIndicator(
  amount: Decimal,
  side: SignedAmount['side'] | undefined,
  balance: ReportedBalance,
  steps: Step[],
): SignedAmount | Refusal {
  const indicator = show(balance.creditDebitIndicator);
  if (side === undefined) {
    return new Refusal('INVALID_PAYLOAD', `The creditDebitIndicator is ${indicator}; it must be Credit or Debit.`);
  }
  if (isNegative(amount)) {
    return new Refusal(
      'SIGN_CONTRADICTION',
      `The amount ${amount} has a minus beside the creditDebitIndicator ${indicator}; one of the two is wrong.`,
    );
  }
  const value = side === 'debit' ? negate(amount) : amount;
  steps.push(sign`Amount ${amount} with creditDebitIndicator ${indicator} is ${value}.`);
  return { value, side };
}

/** Providers of the Berlin Group family: a minus stands in the amount itself. */
function keepSign(
  value: Decimal,
  indicated: SignedAmount['side'] | undefined,
  balance: ReportedBalance,
  steps: Step[],
): SignedAmount | Refusal {
  const side = isNegative(value) ? 'debit' : 'credit';
  if (indicated !== undefined && indicated !== side && !isZero(value)) {
    const indicator = show(balance.creditDebitIndicator);
    return new Refusal('SIGN_CONTRADICTION', `The amount ${value} contradicts the creditDebitIndicator ${indicator}.`);
  }
  steps.push(sign`Amount ${show(balance.amount)} carries its own sign: ${value}.`);
  return { value, side };
}

/** Exactly Credit or Debit, after trimming and without case and prefix. */
function readSide(indicator: JsonValue | undefined, prefix: string | undefined): SignedAmount['side'] | undefined {
  if (typeof indicator !== 'string') return undefined;
  const word = comparableCode(indicator.trim(), prefix);
  return word === 'credit' || word === 'debit' ? word : undefined;
}

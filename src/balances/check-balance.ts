import { type Decimal, sameNumber } from '../shared/decimal';
import type { MappingInput, ReportedBalance } from './balance';
import { readBalanceAt } from './balance-at';
import { withoutCreditLine } from './credit-line';
import { Refusal } from './outcome';
import { MAX_SHOWN_ITEMS, show } from './show';
import { readSignedAmount } from './sign';
import { stepOf, type Step } from './step';

const at = stepOf('balance-at');
const selection = stepOf('selection');

/** One element of the bank's list, taken through every rule; a rule that refuses leaves its reason in its place. */
export interface CheckedBalance {
  balance: ReportedBalance;
  /** As the bank reports it, with its sign. */
  reported: Decimal | Refusal;
  /** After the credit-line rule. */
  value: Decimal | Refusal;
  /** RFC 3339, UTC, milliseconds. */
  balanceAt: string | Refusal;
  steps: Step[];
}

export interface AgreedBalance {
  value: Decimal;
  balanceAt: string;
}

export function checkBalance(balance: ReportedBalance, { settings, fetchedAt }: MappingInput): CheckedBalance {
  const steps: Step[] = [];
  const signed = readSignedAmount(balance, settings, steps);
  const refused = signed instanceof Refusal;
  const value = refused ? signed : withoutCreditLine(signed, balance, settings, steps);
  const byFetch = settings.balanceTime === 'fetch';
  const balanceAt = byFetch
    ? fetchedAt.toISOString()
    : readBalanceAt(balance.dateTime, { timeZone: settings.timeZone, fetchedAt });
  if (typeof balanceAt === 'string') {
    steps.push(
      byFetch
        ? at`The bank's answers carry no time, so the time of the fetch stands in: ${balanceAt}.`
        : at`The bank's time ${show(balance.dateTime)} is ${balanceAt}.`,
    );
  }
  return { balance, reported: refused ? signed : signed.value, value, balanceAt, steps };
}

/**
 * The one balance that all elements of the chosen type and currency state; usually there is one element. Two that
 * differ in what the bank reports are ambiguous before anything else is asked of them, and the result does not depend
 * on the order of the list.
 */
export function agreeOnOne(checked: readonly CheckedBalance[], steps: Step[]): AgreedBalance | Refusal {
  if (!agree(checked, 'reported', sameNumber)) return ambiguous(checked, 'amounts');
  if (!agree(checked, 'balanceAt', (a, b) => a === b)) return ambiguous(checked, 'times');
  const refusal = firstRefusal(checked);
  if (refusal !== undefined) return refusal;
  if (!agree(checked, 'value', sameNumber)) return ambiguous(checked, 'credit lines');

  let agreed: AgreedBalance | undefined;
  for (const { value, balanceAt } of checked) {
    if (value instanceof Refusal || balanceAt instanceof Refusal) continue;
    // 100.0 and 100.00 are one number; the longer text is sent, whichever the bank lists first.
    if (agreed === undefined || value.length > agreed.value.length) agreed = { value, balanceAt };
  }
  if (agreed === undefined) return new Refusal('NO_ELIGIBLE_BALANCE', 'There is no balance to read.');
  if (checked.length > 1) {
    steps.push(selection`${numbers(checked)} state the same balance; it is taken once.`);
  }
  return agreed;
}

type Stated = 'reported' | 'value' | 'balanceAt';

function agree(checked: readonly CheckedBalance[], field: Stated, same: (a: string, b: string) => boolean): boolean {
  let first: string | undefined;
  for (const { [field]: stated } of checked) {
    if (stated instanceof Refusal) continue;
    first ??= stated;
    if (!same(first, stated)) return false;
  }
  return true;
}

/**
 * By rule first: sign, credit line, time. Of two refusals of one rule the unreadable comes before the contradictory,
 * so that the order of the list does not name the outcome.
 */
function firstRefusal(checked: readonly CheckedBalance[]): Refusal | undefined {
  for (const field of ['reported', 'value', 'balanceAt'] as const) {
    let first: Refusal | undefined;
    for (const { [field]: stated } of checked) {
      if (!(stated instanceof Refusal)) continue;
      if (stated.outcome === 'INVALID_PAYLOAD') return stated;
      first ??= stated;
    }
    if (first !== undefined) return first;
  }
  return undefined;
}

function ambiguous(checked: readonly CheckedBalance[], what: string): Refusal {
  return new Refusal(
    'AMBIGUOUS_BALANCE',
    `${numbers(checked)} have the same type and currency, but different ${what}; which one holds is not said.`,
  );
}

function numbers(checked: readonly CheckedBalance[]): string {
  const positions = checked.map(({ balance }) => balance.index + 1).sort((a, b) => a - b);
  const more = positions.length > MAX_SHOWN_ITEMS ? ' and others' : '';
  return `Balances no. ${positions.slice(0, MAX_SHOWN_ITEMS).join(', ')}${more}`;
}

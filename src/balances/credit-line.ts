import { compare, type Decimal, isNegative, parseAmount, subtract } from '../shared/decimal';
import { isJsonObject, type JsonObject, type JsonValue } from '../shared/json';
import type { MappingSettings, ReportedBalance } from './balance';
import { Refusal } from './outcome';
import { count, show } from './show';
import type { SignedAmount } from './sign';
import { stepOf, type Step } from './step';

const creditLine = stepOf('credit-line');

/**
 * Takes an included credit line out of the figure where the connection says so and where it is certain what to take.
 * A credit line counted as money is a false report about a person, and so is a debt that is none.
 */
export function withoutCreditLine(
  signed: SignedAmount,
  balance: ReportedBalance,
  settings: MappingSettings,
  steps: Step[],
): Decimal | Refusal {
  const lines = balance.creditLines ?? [];
  if (settings.creditLine === 'as-reported') {
    if (hasLines(lines)) steps.push(creditLine`creditLine is as-reported: the figure stays as the bank reports it.`);
    return signed.value;
  }
  const included = includedLines(lines);
  if (included instanceof Refusal) return included;
  const [line, second] = included;
  if (line === undefined) {
    steps.push(
      hasLines(lines) ? creditLine`No reported credit line is in the figure.` : creditLine`No credit line is reported.`,
    );
    return signed.value;
  }
  if (settings.creditLine === undefined)
    return unclear('a credit line is included and the connection has no creditLine');
  if (second !== undefined) return unclear(`${count(included.length, 'credit line')} are included in one figure`);
  if (signed.side !== 'credit') return unclear('a credit line is included in an overdrawn balance');
  return subtractLine(signed.value, line, balance.currency, settings, steps);
}

function subtractLine(
  value: Decimal,
  line: JsonObject,
  currency: JsonValue | undefined,
  { creditLineAmount = 'available' }: MappingSettings,
  steps: Step[],
): Decimal | Refusal {
  const money = isJsonObject(line['amount']) ? line['amount'] : undefined;
  const amount = parseAmount(money?.['amount']);
  if (amount === undefined) return unclear(`the included line's amount is ${show(money?.['amount'])}`);
  if (isNegative(amount)) return unclear(`the included line's amount ${amount} is negative`);
  if (money?.['currency'] !== currency) {
    return unclear(`the included line is in ${show(money?.['currency'])}, the balance in ${show(currency)}`);
  }
  const rest = subtract(value, amount);
  // With an undrawn rest of L in the figure, a result at or below zero means that part of the line may be drawn, and
  // how much is not reported.
  if (creditLineAmount === 'available' && compare(rest, '0') <= 0) {
    return unclear(`${value} - ${amount} = ${rest} is not above zero, so the drawn part of the line is unknown`);
  }
  const meaning = creditLineAmount === 'available' ? 'undrawn rest' : 'limit';
  steps.push(creditLine`The included credit line is taken out by its ${meaning}: ${value} - ${amount} = ${rest}.`);
  return rest;
}

/** The lines that the bank says are in the figure; a list that leaves it open is refused. */
function includedLines(lines: JsonValue): JsonObject[] | Refusal {
  if (!Array.isArray(lines)) return unclear(`creditLine is ${show(lines)}, not a list`);
  const included: JsonObject[] = [];
  for (const line of lines) {
    const flag = isJsonObject(line) ? line['included'] : undefined;
    if (typeof flag !== 'boolean')
      return unclear(`a credit line says ${show(flag)} where included must be true or false`);
    if (flag && isJsonObject(line)) included.push(line);
  }
  return included;
}

function hasLines(lines: JsonValue): boolean {
  return !Array.isArray(lines) || lines.length > 0;
}

function unclear(why: string): Refusal {
  return new Refusal('CREDIT_LINE_UNCLEAR', `It is not certain what the customer owns: ${why}.`);
}

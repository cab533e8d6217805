import type { ReportedBalance } from '../../balances/balance';
import { stepOf } from '../../balances/step';
import { isJsonObject, JsonNumber } from '../../shared/json';
import type { JsonObject, JsonValue } from '../../shared/json';
import type { BalanceQuestion, ParsedAnswer } from '../provider';
import { parseBalanceById } from './onesingleview.payload';

const belongs = stepOf('answer-belongs');

/** Pure: the body of balanceById as raw balances, refused where it is about another bank or account. */
export function toOneSingleViewBalances(body: string, question: BalanceQuestion, json?: JsonValue): ParsedAnswer {
  const parsed = parseBalanceById(body, json);
  if (!parsed.ok) return refuse(parsed.outcome, parsed.reason);
  const { code, accountId, balance } = parsed.value;
  if (differs(code, question.bankCode)) {
    return refuse('ACCOUNT_MISMATCH', 'the answer names another bank code than the one asked for');
  }
  if (differs(accountId, question.providerAccountId)) {
    return refuse('ACCOUNT_MISMATCH', 'the answer names another accountId than the one asked for');
  }
  const step = belongs`The answer is about the account asked for and lists ${balance.length} balance(s).`;
  return { kind: 'parsed', reported: balance.map(toReported), steps: [step] };
}

function toReported(element: JsonValue, index: number): ReportedBalance {
  const fields: JsonObject = isJsonObject(element) ? element : {};
  const { type, amount, creditDebitIndicator, creditLine, dateTime } = fields;
  const money: JsonObject = isJsonObject(amount) ? amount : {};
  return {
    index,
    type,
    currency: money.currency,
    amount: money.amount,
    ...(creditDebitIndicator === undefined ? {} : { creditDebitIndicator }),
    ...(creditLine === undefined ? {} : { creditLines: creditLine }),
    ...(dateTime === undefined ? {} : { dateTime }),
  };
}

/** Absent and null echo nothing; a number without quotes is the same id; any other kind of value is not what was asked for. */
function differs(echo: JsonValue | undefined, asked: string): boolean {
  if (echo === undefined || echo === null) return false;
  return (echo instanceof JsonNumber ? echo.source : echo) !== asked;
}

function refuse(outcome: 'INVALID_PAYLOAD' | 'ACCOUNT_MISMATCH' | 'BANK_ERROR', reason: string): ParsedAnswer {
  return { kind: 'refused', outcome, reason, steps: [belongs`${reason}`] };
}

import type { ReportedBalance } from '../../balances/balance';
import { stepOf } from '../../balances/step';
import { isJsonObject, JsonNumber } from '../../shared/json';
import type { JsonObject, JsonValue } from '../../shared/json';
import type { BalanceQuestion, ParsedAnswer } from '../provider';
import { parseMyposBalances } from './mypos.payload';

const belongs = stepOf('answer-belongs');

const IBAN = /^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/;

/** Pure: the body of GET …/balances as raw balances, refused where it is about another account. */
export function toMyposBalances(body: string, question: BalanceQuestion, json?: JsonValue): ParsedAnswer {
  const payload = parseMyposBalances(body, json);
  if (typeof payload === 'string') return { kind: 'refused', outcome: 'INVALID_PAYLOAD', reason: payload, steps: [] };
  const mismatch = payload.account && findMismatch(payload.account, question.providerAccountId);
  if (mismatch) {
    return {
      kind: 'refused',
      outcome: 'ACCOUNT_MISMATCH',
      reason: mismatch,
      steps: [belongs`${mismatch}`],
    };
  }
  const listed = payload.balances.length;
  const step =
    payload.account?.accountNumber === undefined
      ? belongs`The answer names no account number and lists ${listed} balance(s).`
      : belongs`The answer names the account asked for and lists ${listed} balance(s).`;
  return { kind: 'parsed', reported: payload.balances.map(toReported), steps: [step] };
}

function toReported(element: JsonValue, index: number): ReportedBalance {
  const { balanceType, currency, amount }: JsonObject = isJsonObject(element) ? element : {};
  return { index, type: balanceType, currency, amount };
}

/**
 * An echoed account number must be the one that was asked for. The IBAN is another name of the same account and says
 * nothing about that, unless the account was registered by its IBAN.
 */
function findMismatch(account: JsonObject, asked: string): string | undefined {
  const number = echoed(account.accountNumber);
  const iban = echoed(account.iban);
  if (number === asked || (iban !== undefined && compact(iban) === compact(asked))) return undefined;
  if (number !== undefined) return 'the answer names another account number than the one asked for';
  if (iban !== undefined && IBAN.test(compact(asked))) return 'the answer names another IBAN than the one asked for';
  return undefined;
}

/** A bank that writes the number without quotes means the same account; anything stranger equals no account number. */
function echoed(value: JsonValue | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  return value instanceof JsonNumber ? value.source : '';
}

function compact(iban: string): string {
  return iban.replace(/\s/g, '').toUpperCase();
}

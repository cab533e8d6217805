import { isJsonObject, JsonNumber, JsonProblem, parseJson } from '../../shared/json';
import type { JsonObject, JsonValue } from '../../shared/json';

/** The one element of a balanceById answer; the balances in it stay raw. */
export interface OneSingleViewBalances {
  code: JsonValue | undefined;
  accountId: JsonValue | undefined;
  balance: JsonValue[];
}

export interface OneSingleViewToken {
  accessToken: string;
  /** Unit not documented; undefined where it is no positive number. */
  expiresIn: number | undefined;
}

export type Parsed<T> =
  | { ok: true; value: T }
  | { ok: false; outcome: 'INVALID_PAYLOAD' | 'ACCOUNT_MISMATCH' | 'BANK_ERROR'; reason: string };

/** Only `success: true` is a success; `{status: "FAILURE"}` and an absent flag are not. */
export function isSuccess(root: JsonValue): root is JsonObject {
  return isJsonObject(root) && root.success === true;
}

/** `json`: the body, if it was read before. */
export function parseBalanceById(body: string, json?: JsonValue): Parsed<OneSingleViewBalances> {
  const root = parseBody(body, json);
  if (typeof root === 'string') return { ok: false, outcome: 'INVALID_PAYLOAD', reason: root };
  if (!isSuccess(root)) return { ok: false, outcome: 'BANK_ERROR', reason: 'the answer does not say success: true' };
  const { payload } = root;
  if (!Array.isArray(payload)) return invalid('payload is not a list');
  if (payload.length !== 1) {
    const reason = `the answer has ${payload.length} payload elements for a question about one account`;
    return { ok: false, outcome: 'ACCOUNT_MISMATCH', reason };
  }
  const [element] = payload;
  if (!isJsonObject(element)) return invalid('the payload element is not an object');
  if (!isJsonObject(element.data)) return invalid('data is not an object');
  const { accountId, balance } = element.data;
  if (!Array.isArray(balance)) return invalid('data.balance is not a list');
  return { ok: true, value: { code: element.code, accountId, balance } };
}

/** A sentence in place of the token where the answer holds none that could be sent in a header. */
export function parseToken(body: string): OneSingleViewToken | string {
  const root = parseBody(body);
  if (typeof root === 'string') return root;
  if (!isSuccess(root)) return 'the token answer does not say success: true';
  const { payload } = root;
  if (!isJsonObject(payload)) return 'the token answer has no payload object';
  const { access_token: accessToken, expires_in: expiresIn } = payload;
  if (typeof accessToken !== 'string' || !/^[\x21-\x7e]{1,8192}$/.test(accessToken)) {
    return 'the token answer has no usable access_token';
  }
  return { accessToken, expiresIn: positiveNumber(expiresIn) };
}

function positiveNumber(value: JsonValue | undefined): number | undefined {
  const number = value instanceof JsonNumber ? Number(value.source) : typeof value === 'string' ? Number(value) : NaN;
  return Number.isFinite(number) && number > 0 ? number : undefined;
}

function parseBody(body: string, json?: JsonValue): Exclude<JsonValue, string> | string {
  try {
    const root = json ?? parseJson(body);
    return typeof root === 'string' ? 'the body is not a JSON object' : root;
  } catch (error) {
    if (error instanceof JsonProblem) return `the body is not usable JSON: ${error.message}`;
    throw error;
  }
}

function invalid(reason: string): Parsed<never> {
  return { ok: false, outcome: 'INVALID_PAYLOAD', reason };
}

import { isJsonObject, JsonProblem, parseJson } from '../../shared/json';
import type { JsonObject, JsonValue } from '../../shared/json';

/** The part of a balances answer that the gateway relies on; the elements stay raw. */
export interface MyposBalancesPayload {
  /** Who the bank says this is about; the vendor's table says mandatory, not every answer need have it. */
  account: JsonObject | undefined;
  balances: JsonValue[];
}

/** Returns a sentence in place of the payload where the body is not what the vendor's page describes. `json`: the body, if it was read before. */
export function parseMyposBalances(body: string, json?: JsonValue): MyposBalancesPayload | string {
  let root: JsonValue;
  try {
    root = json ?? parseJson(body);
  } catch (error) {
    if (error instanceof JsonProblem) return `the body is not usable JSON: ${error.message}`;
    throw error;
  }
  if (!isJsonObject(root)) return 'the body is not a JSON object';
  const { account, balances } = root;
  if (!Array.isArray(balances)) return 'balances is not a list';
  if (account !== undefined && account !== null && !isJsonObject(account)) return 'account is not an object';
  return { account: account ?? undefined, balances };
}

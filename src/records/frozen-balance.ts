import type { buildAccountBalanceRecord } from '../amlyze/account-balance-record';
import { JsonNumber, parseJson, type JsonValue } from '../shared/json';

/** The fields of a balance out of its frozen bytes, numbers digit for digit. */
export function frozenFields(payload: string): Parameters<typeof buildAccountBalanceRecord>[0] {
  const parsed = parseJson(payload);
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed) || parsed instanceof JsonNumber) {
    throw new Error('frozen bytes are no object');
  }
  const text = (name: string): string => textOf(parsed[name], name);
  return {
    communicationNumber: text('communicationNumber'),
    requester: text('requester'),
    balanceType: text('balanceType'),
    accountExtId: text('accountExtId'),
    balanceAt: text('balanceAt'),
    value: text('value'),
    ...(parsed['businessUnit'] === undefined ? {} : { businessUnit: text('businessUnit') }),
    ...(parsed['equivalentValue'] === undefined ? {} : { equivalentValue: text('equivalentValue') }),
  };
}

function textOf(value: JsonValue | undefined, name: string): string {
  if (typeof value === 'string') return value;
  if (value instanceof JsonNumber) return value.source;
  throw new Error(`frozen bytes have no ${name}`);
}

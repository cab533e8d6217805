import type { Decimal } from '../shared/decimal';
import { isJsonObject, JsonNumber, parseJson } from '../shared/json';

/** What AMLYZE's `AccountBalance` says of one balance. Decimals are canonical texts, never JavaScript numbers. */
export interface AccountBalance {
  communicationNumber: string;
  /** Name of the calling system, at most 100 characters. */
  requester: string;
  /** AMLYZE's code. */
  balanceType: string;
  /** What AMLYZE calls the account. */
  accountExtId: string;
  /** Only for tenants with several organisations; else the key is absent, not empty and not null. */
  businessUnit?: string | undefined;
  /** RFC 3339, UTC, milliseconds, `Z`. */
  balanceAt: string;
  value: Decimal;
  equivalentValue?: Decimal | undefined;
}

/** Of AMLYZE's pages the stricter one, where they differ. */
const MAX_CHARACTERS: Readonly<Record<string, number>> = {
  communicationNumber: 255,
  requester: 100,
  accountExtId: 255,
};
/** In the order in which they are written; absent ones are left out. */
const TEXTS = ['communicationNumber', 'requester', 'balanceType', 'accountExtId', 'businessUnit', 'balanceAt'] as const;
const DECIMALS = ['value', 'equivalentValue'] as const;
const PLAIN_DECIMAL = /^(?!-0(?:\.0+)?$)-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/**
 * The JSON text of one record, as it is stored and as it is sent, however often. `value` and `equivalentValue` stand in
 * it as JSON numbers with exactly the given digits. Throws where the text would not say what it should, see
 * `checkRecord`.
 */
export function buildAccountBalanceRecord(balance: AccountBalance): string {
  let members = '';
  for (const key of TEXTS) {
    const text = balance[key];
    if (text !== undefined) members += `${members === '' ? '' : ','}"${key}":${JSON.stringify(text)}`;
  }
  for (const key of DECIMALS) {
    const decimal = balance[key];
    if (decimal !== undefined) members += `,"${key}":${decimal}`;
  }
  const record = `{${members}}`;
  checkRecord(record, balance);
  return record;
}

/**
 * Parses the text again and compares it with the balance field by field, since a record that is wrong when it is frozen
 * is wrong for ever. Throws where a field is missing, added, changed, empty, too long, or not in AMLYZE's form.
 */
export function checkRecord(record: string, balance: AccountBalance): void {
  const parsed = parseJson(record);
  if (!isJsonObject(parsed) || Object.keys(parsed).length !== fieldsOf(balance)) {
    throw new TypeError('the record has other fields than it should');
  }
  for (const key of TEXTS) {
    const text = balance[key];
    if (text === undefined) continue;
    if (parsed[key] !== text || text === '') throw new TypeError(`the record's ${key} is not what it should be`);
    if (text.length > (MAX_CHARACTERS[key] ?? Infinity)) throw new RangeError(`the record's ${key} is too long`);
  }
  for (const key of DECIMALS) {
    const decimal = balance[key];
    if (decimal === undefined) continue;
    const number = parsed[key];
    const exact = number instanceof JsonNumber && number.source === decimal && PLAIN_DECIMAL.test(decimal);
    if (!exact) throw new TypeError(`the record's ${key} is not the plain decimal it should be`);
  }
  if (!INSTANT.test(balance.balanceAt)) throw new TypeError("the record's balanceAt is not a UTC instant");
}

/** How many fields its record has: all, but for those that the balance does not have. */
function fieldsOf({ businessUnit, equivalentValue }: AccountBalance): number {
  const absent = (businessUnit === undefined ? 1 : 0) + (equivalentValue === undefined ? 1 : 0);
  return TEXTS.length + DECIMALS.length - absent;
}

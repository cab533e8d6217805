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
const PLAIN_DECIMAL = /^(?!-0(?:\.0+)?$)-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/**
 * The JSON text of one record, as it is stored and as it is sent, however often. `value` and `equivalentValue` stand in
 * it as JSON numbers with exactly the given digits. The text is parsed again and compared field by field before it is
 * returned; throws where it would not say what it should, since a record that is wrong here is wrong for ever.
 */
export function buildAccountBalanceRecord(balance: AccountBalance): string {
  const { communicationNumber, requester, balanceType, accountExtId, businessUnit, balanceAt } = balance;
  const unit = businessUnit === undefined ? {} : { businessUnit };
  const texts = { communicationNumber, requester, balanceType, accountExtId, ...unit, balanceAt };
  const equivalent = balance.equivalentValue === undefined ? {} : { equivalentValue: balance.equivalentValue };
  const numbers = { value: balance.value, ...equivalent };

  const members = [
    ...Object.entries(texts).map(([key, text]) => `"${key}":${JSON.stringify(text)}`),
    ...Object.entries(numbers).map(([key, decimal]) => `"${key}":${decimal}`),
  ];
  const record = `{${members.join(',')}}`;
  checkRecord(record, texts, numbers);
  return record;
}

function checkRecord(record: string, texts: Record<string, string>, numbers: Record<string, Decimal>): void {
  const parsed = parseJson(record);
  if (!isJsonObject(parsed)) throw new TypeError('the record is not a JSON object');
  const expected = Object.keys(texts).length + Object.keys(numbers).length;
  if (Object.keys(parsed).length !== expected) throw new TypeError('the record has other fields than it should');

  for (const [key, text] of Object.entries(texts)) {
    if (parsed[key] !== text || text === '') throw new TypeError(`the record's ${key} is not what it should be`);
    if (text.length > (MAX_CHARACTERS[key] ?? Infinity)) throw new RangeError(`the record's ${key} is too long`);
  }
  for (const [key, decimal] of Object.entries(numbers)) {
    const number = parsed[key];
    const exact = number instanceof JsonNumber && number.source === decimal && PLAIN_DECIMAL.test(decimal);
    if (!exact) throw new TypeError(`the record's ${key} is not a plain decimal`);
  }
  if (!INSTANT.test(texts['balanceAt'] ?? '')) throw new TypeError("the record's balanceAt is not a UTC instant");
}

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
 * it as JSON numbers with exactly the given digits. Throws where the text would not say what it should, see
 * `checkRecord`.
 */
export function buildAccountBalanceRecord(balance: AccountBalance): string {
  const members = membersOf(balance);
  const texts = members.texts.map(([key, text]) => `"${key}":${JSON.stringify(text)}`);
  const decimals = members.decimals.map(([key, decimal]) => `"${key}":${decimal}`);
  const record = `{${texts.join(',')},${decimals.join(',')}}`;
  checkRecord(record, balance, members);
  return record;
}

/**
 * Parses the text again and compares it with the balance field by field, since a record that is wrong when it is frozen
 * is wrong for ever. Throws where a field is missing, added, changed, empty, too long, or not in AMLYZE's form.
 */
export function checkRecord(record: string, balance: AccountBalance, members = membersOf(balance)): void {
  const { texts, decimals } = members;
  const parsed = parseJson(record);
  if (!isJsonObject(parsed) || Object.keys(parsed).length !== texts.length + decimals.length) {
    throw new TypeError('the record has other fields than it should');
  }
  for (const [key, text] of texts) {
    if (parsed[key] !== text || text === '') throw new TypeError(`the record's ${key} is not what it should be`);
    if (text.length > (MAX_CHARACTERS[key] ?? Infinity)) throw new RangeError(`the record's ${key} is too long`);
  }
  for (const [key, decimal] of decimals) {
    const number = parsed[key];
    const exact = number instanceof JsonNumber && number.source === decimal && PLAIN_DECIMAL.test(decimal);
    if (!exact) throw new TypeError(`the record's ${key} is not the plain decimal it should be`);
  }
  if (!INSTANT.test(balance.balanceAt)) throw new TypeError("the record's balanceAt is not a UTC instant");
}

type Member<T> = readonly [key: string, value: T];

interface Members {
  texts: Member<string>[];
  decimals: Member<Decimal>[];
}

/** The fields in the order in which they are written, without those that are absent. */
function membersOf(balance: AccountBalance): Members {
  const { businessUnit, equivalentValue } = balance;
  const texts: Member<string>[] = [
    ['communicationNumber', balance.communicationNumber],
    ['requester', balance.requester],
    ['balanceType', balance.balanceType],
    ['accountExtId', balance.accountExtId],
  ];
  if (businessUnit !== undefined) texts.push(['businessUnit', businessUnit]);
  texts.push(['balanceAt', balance.balanceAt]);
  const decimals: Member<Decimal>[] = [['value', balance.value]];
  if (equivalentValue !== undefined) decimals.push(['equivalentValue', equivalentValue]);
  return { texts, decimals };
}

import { isIP } from 'node:net';
import { holdsCardNumber, maskCardNumbers, passesLuhn } from '../shared/card-scan';
import { isZero, isNegative, parseAmount } from '../shared/decimal';
import { JsonNumber, type JsonValue } from '../shared/json';
import { isListed } from './classifiers';
import { instantMs, isCalendarDate } from '../shared/instant';
import type { ClassifierName, OperationRules } from './operation';
import { Pan } from './pan';

/** What a field's value became, or the rule it breaks as the end of "<field> must ...". */
export type Reading<T = unknown> = { value: T; warning?: string } | { rule: string };

/** Reads the value of one field. It gets no name: the same kind serves many fields. */
export type FieldKind<T = unknown> = (value: JsonValue, rules: OperationRules) => Reading<T>;

/** A text that names something: kept as it is, so nothing in it may be masked or trimmed. */
export function identifier(max: number): FieldKind<string> {
  const rule = `be a text of 1 to ${max} characters without control characters and blanks around it`;
  return (value) => {
    if (!isPlainText(value, max) || value !== value.trim() || /\p{Cc}/u.test(value)) return { rule };
    return holdsCardNumber(value) ? { rule: 'not hold a card number, which belongs in cardNumber alone' } : { value };
  };
}

/** A number that the caller made, where the installation lets callers make them. */
export function callerNumber(max: number): FieldKind<string> {
  const plain = identifier(max);
  return (value, rules) =>
    rules.callerNumbers
      ? plain(value, rules)
      : { rule: 'be left out: the gateway makes it, unless OPERATIONS_CALLER_NUMBERS=true' };
}

/** A text for people. A card number in it is masked before anything else sees it. */
export function freeText(max: number): FieldKind<string> {
  const rule = `be a text of 1 to ${max} characters, not only blanks, without control characters but tabs and line breaks`;
  return (value) => {
    if (!isPlainText(value, max) || /(?![\t\n\r])\p{Cc}/u.test(value)) return { rule };
    const masked = maskCardNumbers(value);
    return masked === value ? { value } : { value: masked, warning: 'held a card number, which is masked' };
  };
}

export function oneOf<T extends string>(allowed: readonly T[]): FieldKind<T> {
  const rule = `be one of ${allowed.join(', ')}`;
  return (value) => {
    const known = allowed.find((code) => code === value);
    return known === undefined ? { rule } : { value: known };
  };
}

const SHAPES: Partial<Record<ClassifierName, { pattern: RegExp; meaning: string }>> = {
  country: { pattern: /^[A-Z]{2}$/, meaning: 'a country code of two capital letters (ISO 3166-1)' },
  currency: { pattern: /^[A-Z0-9]{3,10}$/, meaning: 'a currency code in capital letters (ISO 4217)' },
};
const LONGEST_LIST_SHOWN = 20;

/** A code of one of AMLYZE's classifiers, as far as this installation knows them. */
export function code(classifier: ClassifierName): FieldKind<string> {
  const plain = identifier(255);
  const shape = SHAPES[classifier];
  return (value, rules) => {
    const { classifiers, unknownCodes } = rules;
    const reading = plain(value, rules);
    if ('rule' in reading) return reading;
    if (shape !== undefined && !shape.pattern.test(reading.value)) return { rule: `be ${shape.meaning}` };
    const known = classifiers[classifier];
    if (known === undefined || isListed(known, reading.value)) return reading;
    // The rules here are those of card payments: another type of operation cannot be let through unknown.
    if (unknownCodes === 'pass' && classifier !== 'operationType') {
      return { ...reading, warning: `is not among the configured ${classifier} codes and is passed on` };
    }
    const list = known.length <= LONGEST_LIST_SHOWN ? `: ${known.join(', ')}` : shape ? `, ${shape.meaning}` : '';
    return { rule: `be one of the configured ${classifier} codes${list}` };
  };
}

/** A JSON number, or its digits as a text, since floats in between would lose them. */
export const positiveDecimal: FieldKind<string> = (value) => {
  const decimal = parseAmount(value);
  if (decimal === undefined) return { rule: 'be a decimal with at most 18 digits before the point and 10 after it' };
  return isZero(decimal) || isNegative(decimal) ? { rule: 'be greater than 0' } : { value: decimal };
};

export const instant: FieldKind<string> = (value) =>
  typeof value === 'string' && instantMs(value) !== undefined
    ? { value }
    : { rule: 'be an RFC 3339 time with offset such as 2024-08-16T13:00:00Z, in UTC within the years 1 to 9999' };

export const calendarDate: FieldKind<string> = (value) =>
  typeof value === 'string' && isCalendarDate(value)
    ? { value }
    : { rule: 'be a calendar date written as year, month and day such as 2025-06-07' };

export const flag: FieldKind<boolean> = (value) =>
  typeof value === 'boolean' ? { value } : { rule: 'be true or false' };

/** AMLYZE calls it a string and no more, so an odd one is sent. */
export const ipAddress: FieldKind<string> = (value, rules) => {
  const reading = identifier(255)(value, rules);
  if ('rule' in reading || isIP(reading.value) !== 0) return reading;
  return { ...reading, warning: 'is neither an IPv4 nor an IPv6 address' };
};

/** ISO 9362. */
export const bic: FieldKind<string> = (value) =>
  typeof value === 'string' && /^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?$/.test(value)
    ? { value }
    : { rule: 'be a BIC of 8 or 11 capital letters and digits (ISO 9362)' };

export function setOf<T extends string>(allowed: readonly T[]): FieldKind<T[]> {
  const rule = `be a list of different values out of ${allowed.join(', ')}, or be left out`;
  return (value) => {
    if (!Array.isArray(value) || value.length === 0) return { rule };
    const known = allowed.filter((entry) => value.includes(entry));
    return known.length === value.length ? { value: known } : { rule };
  };
}

/** Wraps a kind whose values only an installation that encrypts card data takes. */
export function cardData<T>(kind: FieldKind<T>): FieldKind<T> {
  return (value, rules) =>
    rules.cardData === 'encrypt'
      ? kind(value, rules)
      : { rule: 'be left out: card data is refused unless CARD_DATA=encrypt' };
}

export const cardNumber: FieldKind<Pan> = (value) =>
  typeof value === 'string' && /^[0-9]{12,19}$/.test(value) && passesLuhn(value)
    ? { value: new Pan(value) }
    : { rule: 'be the 12 to 19 digits of a card number as a text, its check digit (Luhn) right' };

/** What kind of value stands there, without the value: it may be a card number, a name or a secret. */
export function valueClass(value: JsonValue | undefined): string {
  if (value === undefined) return 'is absent';
  if (value === null) return 'is null';
  if (typeof value === 'boolean') return `is ${value}`;
  if (value instanceof JsonNumber) return numberClass(value);
  if (Array.isArray(value)) return `is a list of ${value.length}`;
  if (typeof value !== 'string') return 'is an object';
  if (value.trim() === '') return value === '' ? 'is an empty text' : 'is a text of blanks';
  return `is a text of ${value.length} characters`;
}

function numberClass(number: JsonNumber): string {
  const decimal = parseAmount(number);
  if (decimal === undefined) return 'is a number of too many digits';
  if (isZero(decimal)) return 'is zero';
  return isNegative(decimal) ? 'is a negative number' : 'is a positive number';
}

function isPlainText(value: JsonValue, max: number): value is string {
  return typeof value === 'string' && value.length <= max && value.trim() !== '' && value.isWellFormed();
}

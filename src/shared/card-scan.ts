import { isIban } from './iban';

/**
 * Card numbers in texts where none belong. In free text every undivided group of 13 to 19 digits that passes the Luhn check
 * counts, since one too many masked harms less than one too few; groups divided by blanks or dashes must also begin as a
 * card of that length does, or every second row of dates and counts would pass, and groups divided by dots must be as long as those
 * on a card, or amounts would. An IBAN is no card number.
 */
export function maskCardNumbers(text: string): string {
  let masked = '';
  let from = 0;
  for (const { start, end, digits } of cardNumbersIn(text, 'any')) {
    masked += text.slice(from, start) + maskDigits(digits);
    from = end;
  }
  return from === 0 ? text : masked + text.slice(from);
}

/**
 * Whether an identifier holds a card number. One in ten long numbers passes the Luhn check by chance, and an identifier
 * cannot be masked; so only those count that begin as a card of their length does.
 */
export function holdsCardNumber(identifier: string): boolean {
  return cardNumbersIn(identifier, 'issued').length > 0;
}

/** First six, last four; fewer than twelve digits show nothing. */
export function maskDigits(digits: string): string {
  if (digits.length < 12) return '*'.repeat(digits.length);
  return `${digits.slice(0, 6)}${'*'.repeat(digits.length - 10)}${digits.slice(-4)}`;
}

/**
 * Where a text can be cut, at `limit` or before it, without cutting a number in two: of a part of a card number nobody knows any more
 * that it is one.
 */
export function placeToCut(text: string, limit: number): number {
  let end = limit;
  const from = Math.max(0, limit - LONGEST_PIECE);
  for (const { 0: escaped, index } of text.slice(from, limit + LONGEST_PIECE).matchAll(ESCAPES)) {
    if (from + index < limit && limit < from + index + escaped.length) end = from + index;
  }
  if (!BEGINS_IN_A_NUMBER.test(text.slice(end, end + LONGEST_PIECE))) return end;
  for (;;) {
    const last = ENDS_IN_A_NUMBER.exec(text.slice(Math.max(0, end - LONGEST_PIECE), end));
    if (!last) return end;
    end -= last[0].length;
  }
}

/** Check digit of ISO/IEC 7812-1, annex B. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - place) - 48;
    const twice = digit * 2;
    sum += place % 2 === 0 ? digit : twice > 9 ? twice - 9 : twice;
  }
  return sum % 10 === 0;
}

const MIN_DIGITS = 13;
const MAX_DIGITS = 19;
/**
 * What may stand between two groups: blanks of every kind, dashes, dots, marks that nobody sees; and blanks as JSON and HTML write them,
 * for answers are kept as they came.
 */
const ESCAPED = String.raw`\\{1,4}(?:[tnrf]|u00[aA][0dD]|u20[0-6][0-9a-fA-F]|u3000)|&(?:nbsp|#160|#x[aA]0);`;
const PIECE = String.raw`(?:[\s\p{Pd}\p{Cf}\u2212.·•]|${ESCAPED})`;
/** Most pieces between two groups. */
const MAX_PIECES = 8;
/** Most texts end here: what has no 13 digits in a row, separators aside, is not looked at any closer. */
const ENOUGH_DIGITS = new RegExp(`[0-9](?:${PIECE}{0,${MAX_PIECES}}[0-9]){12}`, 'u');
const SEPARATOR = new RegExp(`^${PIECE}{1,${MAX_PIECES}}$`, 'u');
const SEPARATORS = new RegExp(PIECE, 'gu');
/** Digits in a row, and what has digits and is none of them. */
const GROUPS = new RegExp(`${ESCAPED}|([0-9]+)`, 'gu');
const DOT = /[.·•]/;
const ESCAPES = new RegExp(ESCAPED, 'gu');
const BEGINS_IN_A_NUMBER = new RegExp(`^(?:[0-9]|${PIECE})`, 'u');
const ENDS_IN_A_NUMBER = new RegExp(`(?:[0-9]|${PIECE})$`, 'u');
/** Characters of the longest escape. */
const LONGEST_PIECE = 9;

/** How the numbers of each scheme begin, by their length (ISO/IEC 7812 ranges as the schemes publish them). */
const ISSUED: readonly { begin: RegExp; lengths: readonly number[] }[] = [
  { begin: /^4/, lengths: [13, 16, 19] }, // Visa
  { begin: /^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16] }, // Mastercard
  { begin: /^3[47]/, lengths: [15] }, // American Express
  { begin: /^3(?:0[0-5]|095|[689])/, lengths: [14, 16, 17, 18, 19] }, // Diners Club
  { begin: /^(?:35(?:2[89]|[3-8])|220[0-4]|62|81|82|8600|9792|9860)/, lengths: [16, 17, 18, 19] }, // JCB, Mir, UnionPay ...
  { begin: /^(?:50|5[6-9]|6)/, lengths: [13, 14, 15, 16, 17, 18, 19] }, // Maestro, Discover, RuPay
];

interface Group {
  digits: string;
  start: number;
}

interface Found {
  start: number;
  end: number;
  digits: string;
}

function cardNumbersIn(text: string, which: 'any' | 'issued'): Found[] {
  if (text.length < MIN_DIGITS || !ENOUGH_DIGITS.test(text)) return [];
  const groups = [...text.matchAll(GROUPS)].flatMap(({ 1: digits, index: start }): Group[] =>
    digits === undefined ? [] : [{ digits, start }],
  );
  const found: Found[] = [];
  for (let first = 0; first < groups.length; first += 1) {
    const hit = longestFrom(text, groups.slice(first, first + MAX_DIGITS), which);
    if (hit === undefined || isPartOfIban(text, hit.found)) continue;
    found.push(hit.found);
    first += hit.groups - 1;
  }
  return found;
}

/** The longest card number that begins with the first group. */
function longestFrom(
  text: string,
  groups: readonly Group[],
  which: 'any' | 'issued',
): { found: Found; groups: number } | undefined {
  let longest: { found: Found; groups: number } | undefined;
  const separators: string[] = [];
  let digits = '';
  let end = 0;
  for (const [index, group] of groups.entries()) {
    if (index > 0) {
      const separator = text.slice(end, group.start);
      if (!SEPARATOR.test(separator)) break;
      separators.push(separator);
    }
    digits += group.digits;
    if (digits.length > MAX_DIGITS) break;
    end = group.start + group.digits.length;
    const demanding = which === 'issued' || index > 0;
    if (digits.length < MIN_DIGITS || !passesLuhn(digits)) continue;
    if (!demanding || (isIssued(digits) && isDividedAsACard(groups.slice(0, index), separators))) {
      longest = { found: { start: groups[0]?.start ?? 0, end, digits }, groups: index + 1 };
    }
  }
  return longest;
}

function isIssued(digits: string): boolean {
  return ISSUED.some(({ begin, lengths }) => lengths.includes(digits.length) && begin.test(digits));
}

/** An amount has one dot, and before it no groups of four; a card number has the same separator everywhere. */
function isDividedAsACard(groupsButTheLast: readonly Group[], separators: readonly string[]): boolean {
  if (!separators.some((separator) => DOT.test(separator))) return true;
  return (
    separators.length >= 2 &&
    separators.every((separator) => separator === separators[0]) &&
    groupsButTheLast.every(({ digits }) => digits.length >= 4 && digits.length <= 6)
  );
}

const LONGEST_IBAN_WRITTEN = 34 + 8 * MAX_PIECES;

/** Whether the digits lie in an IBAN: its beginning is looked for before them, its end at any end of a word behind them. */
function isPartOfIban(text: string, { start, end }: Found): boolean {
  const from = Math.max(0, start - LONGEST_IBAN_WRITTEN);
  for (const candidate of text.slice(from, end).matchAll(/(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}/g)) {
    const begin = from + candidate.index;
    const rest = text.slice(begin, begin + LONGEST_IBAN_WRITTEN);
    for (const word of rest.matchAll(/[A-Z0-9](?![A-Za-z0-9])/g)) {
      const stop = word.index + 1;
      if (begin + stop >= end && isIban(rest.slice(0, stop).replace(SEPARATORS, ''))) return true;
    }
  }
  return false;
}

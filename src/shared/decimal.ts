import { JsonNumber, type JsonValue } from './json';

/**
 * A decimal as canonical text: an optional minus, an integer part without redundant zeros, and as many decimals as were
 * given (`4.200` has three). There is no `-0`. Money is never a JavaScript number, on no line of this code.
 */
export type Decimal = string;

const AMOUNT_TEXT = /^-?[0-9]{1,18}(?:\.[0-9]{1,10})?$/;
const JSON_NUMBER = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/;
const MAX_INTEGER_DIGITS = 18;
const MAX_DECIMALS = 10;

/**
 * The amount a bank sent, digit for digit, or undefined where it is none: at most 18 digits before the point and 10
 * after it. A JSON string is taken without exponent, plus sign, grouping or spaces; a JSON number may carry an
 * exponent, since some banks serialise doubles (`1.5E3`), and it is expanded exactly or refused, never rounded.
 */
export function parseAmount(value: JsonValue | undefined): Decimal | undefined {
  if (typeof value === 'string') return AMOUNT_TEXT.test(value) ? canonical(value) : undefined;
  if (!(value instanceof JsonNumber)) return undefined;
  return AMOUNT_TEXT.test(value.source) ? canonical(value.source) : expand(value.source);
}

export function isZero(decimal: Decimal): boolean {
  return !/[1-9]/.test(decimal);
}

export function isNegative(decimal: Decimal): boolean {
  return decimal.startsWith('-') && !isZero(decimal);
}

export function negate(decimal: Decimal): Decimal {
  if (isZero(decimal)) return decimal;
  return decimal.startsWith('-') ? decimal.slice(1) : `-${decimal}`;
}

/** a - b with the larger scale of the two: 100.0 - 0.25 = 99.75, and 5.00 - 1 = 4.00. */
export function subtract(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(scaleOf(a), scaleOf(b));
  return fromUnits(toUnits(a, scale) - toUnits(b, scale), scale);
}

/** Negative, 0 or positive as a is less than, equal to or greater than b; compared as numbers, so 100.0 equals 100.00. */
export function compare(a: Decimal, b: Decimal): number {
  if (a === b) return 0;
  const scale = Math.max(scaleOf(a), scaleOf(b));
  const difference = toUnits(a, scale) - toUnits(b, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Whether both are the same number, whatever their scale. */
export function sameNumber(a: Decimal, b: Decimal): boolean {
  return compare(a, b) === 0;
}

/** The distance from zero. */
export function absolute(decimal: Decimal): Decimal {
  return isNegative(decimal) ? negate(decimal) : decimal;
}

/** a × b, exactly: with the decimals of both. */
export function multiply(a: Decimal, b: Decimal): Decimal {
  return multiplyRounded(a, b, scaleOf(a) + scaleOf(b));
}

/** value × factor, computed exactly and rounded once, half to even, to `scale` decimals. */
export function multiplyRounded(value: Decimal, factor: Decimal, scale: number): Decimal {
  const decimals = scaleOf(value) + scaleOf(factor);
  const product = toUnits(value, scaleOf(value)) * toUnits(factor, scaleOf(factor));
  return ratioRounded(product, 10n ** BigInt(decimals), scale);
}

/** value ÷ divisor, rounded once, half to even, to `scale` decimals. Throws RangeError for a divisor of zero. */
export function divideRounded(value: Decimal, divisor: Decimal, scale: number): Decimal {
  const common = Math.max(scaleOf(value), scaleOf(divisor));
  return ratioRounded(toUnits(value, common), toUnits(divisor, common), scale);
}

/** numerator ÷ denominator to `scale` decimals; of two equally near results the one whose last digit is even. */
function ratioRounded(numerator: bigint, denominator: bigint, scale: number): Decimal {
  const scaled = numerator * 10n ** BigInt(scale);
  const quotient = scaled / denominator; // cut towards zero
  const remainder = scaled % denominator;
  const twice = magnitude(remainder) * 2n;
  const away = twice > magnitude(denominator) || (twice === magnitude(denominator) && quotient % 2n !== 0n);
  if (!away) return fromUnits(quotient, scale);
  const step = scaled < 0n === denominator < 0n ? 1n : -1n;
  return fromUnits(quotient + step, scale);
}

/** The canonical form of a plain decimal: no redundant leading zero, no minus before zero, every decimal kept. */
function canonical(text: string): Decimal {
  const unsigned = text.replace(/^-?0*(?=[0-9])/, '');
  return text.startsWith('-') && !isZero(unsigned) ? `-${unsigned}` : unsigned;
}

/** Writes a JSON number out; decides by counting digits first, so that `1e999999999` costs nothing. */
function expand(source: string): Decimal | undefined {
  const parts = JSON_NUMBER.exec(source);
  if (parts === null) return undefined;
  const [, sign = '', integer = '', fraction = '', exponent = '0'] = parts;
  const digits = (integer + fraction).replace(/^0+/, '');
  const decimals = fraction.length - Number(exponent);
  if (decimals > MAX_DECIMALS) return undefined;
  if (digits === '') return canonical(decimals > 0 ? `0.${'0'.repeat(decimals)}` : '0');
  if (digits.length - decimals > MAX_INTEGER_DIGITS) return undefined;
  if (decimals <= 0) return canonical(sign + digits + '0'.repeat(-decimals));
  const padded = digits.padStart(decimals + 1, '0');
  return canonical(`${sign}${padded.slice(0, -decimals)}.${padded.slice(-decimals)}`);
}

/** How many decimals it was given: 3 for `4.200`. */
export function scaleOf(decimal: Decimal): number {
  const point = decimal.indexOf('.');
  return point < 0 ? 0 : decimal.length - point - 1;
}

/** The decimal in units of 10^-scale; `scale` is at least its own. */
function toUnits(decimal: Decimal, scale: number): bigint {
  // BigInt takes '' for 0 and reads '0x10': what is no decimal must not become a number here.
  if (!/^-?[0-9]+(?:\.[0-9]+)?$/.test(decimal)) throw new TypeError('not a decimal in canonical form');
  return BigInt(decimal.replace('.', '') + '0'.repeat(scale - scaleOf(decimal)));
}

function fromUnits(units: bigint, scale: number): Decimal {
  const digits = magnitude(units)
    .toString()
    .padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return units < 0n ? `-${text}` : text;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

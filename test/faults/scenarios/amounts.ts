import type { Random } from '../rig/random';

/** What AMLYZE must get for an amount as a bank writes it; null: a refusal. Stated anew here, from the rules of docs/mapping.md. */
export function rightDigits(written: string, isJsonNumber: boolean): string | null {
  const plain = isJsonNumber ? expanded(written) : written;
  const parts = /^(-?)(\d{1,18})(\.\d{1,10})?$/.exec(plain ?? '');
  if (!parts) return null;
  const [, minus = '', whole = '', fraction = ''] = parts;
  const digits = `${whole.replace(/^0+(?=\d)/, '')}${fraction}`;
  return minus === '' || /^[0.]+$/.test(digits) ? digits : `-${digits}`;
}

/** A JSON number without its exponent, moved digit by digit. */
function expanded(written: string): string | undefined {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(written);
  if (!parts) return undefined;
  const [, minus = '', whole = '', fraction = '', exponent] = parts;
  if (exponent === undefined) return written;
  const shift = Number(exponent);
  const all = whole + fraction;
  const point = whole.length + shift;
  if (Math.abs(shift) > 100) return undefined;
  if (point <= 0) return `${minus}0.${'0'.repeat(-point)}${all}`;
  if (point >= all.length) return `${minus}${all}${'0'.repeat(point - all.length)}`;
  return `${minus}${all.slice(0, point)}.${all.slice(point)}`;
}

/** Those that break programs which calculate with binary floating point, group digits or trust their reader. */
export const HARD_AMOUNTS: readonly { written: string; isJsonNumber: boolean }[] = [
  ...['0.1', '0.10', '0.30000000000000004', '1111111111.1111111111', '123456789012345678.1234567891', '4.200'].map(
    number,
  ),
  ...['-0', '-0.00', '0', '0.000', '9007199254740993', '999999999999999999.9999999999', '0.0000000001'].map(number),
  ...['12345678901234567890.123456789', '1000000000000000000', '0.00000000001', '1e21', '1E-7', '1e3', '12.5E1'].map(
    number,
  ),
  ...['-1e-10', '1e-11', '1.5e400', '2E0', '100e-2'].map(number),
  ...['1,234.50', '1.234,50', '1e3', '0x10', 'NaN', 'Infinity', '', ' 1', '1 ', '+1', '.5', '1.', '--1', '1_000'].map(
    text,
  ),
  ...['007.50', '00', '-00.10', '١٢', '12.34\u0000', 'null'].map(text),
];

function number(written: string): { written: string; isJsonNumber: boolean } {
  return { written, isJsonNumber: true };
}

function text(written: string): { written: string; isJsonNumber: boolean } {
  return { written, isJsonNumber: false };
}

/** Amounts of any length and scale within what a bank may write, now and then with an exponent. */
export function drawAmount(random: Random): { written: string; isJsonNumber: boolean } {
  const digits = (length: number): string => Array.from({ length }, () => random.whole(0, 9)).join('');
  const whole = random.chance(0.2) ? '0' : `${random.whole(1, 9)}${digits(random.whole(0, 19))}`;
  const fraction = random.chance(0.7) ? `.${digits(random.whole(1, 11))}` : '';
  const isJsonNumber = random.chance(0.6);
  const exponent = isJsonNumber && random.chance(0.2) ? `${random.pick(['e', 'E'])}${random.whole(-12, 12)}` : '';
  return { written: `${random.chance(0.4) ? '-' : ''}${whole}${fraction}${exponent}`, isJsonNumber };
}

import { Decimal as Oracle } from 'decimal.js';
import fc from 'fast-check';
import {
  absolute,
  compare,
  divideRounded,
  isNegative,
  isZero,
  multiply,
  multiplyRounded,
  negate,
  parseAmount,
  sameNumber,
  scaleOf,
  subtract,
} from './decimal';
import { JsonNumber } from './json';

// An independent implementation to compare with; wide enough to be exact for every product and quotient tested here.
const exact = Oracle.clone({ precision: 120, rounding: Oracle.ROUND_HALF_EVEN, toExpNeg: -200, toExpPos: 200 });

const digits = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength, maxLength });

/** A decimal in canonical form within the bounds of an amount. */
const decimals = fc
  .tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }), digits(0, 10))
  .map(([minus, integer, fraction]) => {
    const text = fraction === '' ? integer.toString() : `${integer}.${fraction}`;
    return minus && /[1-9]/.test(text) ? `-${text}` : text;
  });

describe('parseAmount', () => {
  it.each([
    ['7896.21', '7896.21'],
    ['4.200', '4.200'],
    ['0', '0'],
    ['-0', '0'],
    ['-0.00', '0.00'],
    ['007.50', '7.50'],
    ['-00.5', '-0.5'],
    ['000', '0'],
    ['123456789012345678.1234567890', '123456789012345678.1234567890'],
  ])('takes the string "%s" for %s', (text, decimal) => {
    expect(parseAmount(text)).toBe(decimal);
  });

  it.each([
    [''],
    [' 1'],
    ['1 '],
    ['1\n'],
    ['+1'],
    ['--1'],
    ['.5'],
    ['5.'],
    ['1,5'],
    ['1,234.50'],
    ['1e3'],
    ['NaN'],
    ['Infinity'],
    ['0x10'],
    ['1_000'],
    ['١٢'],
    ['1234567890123456789'],
    ['1.12345678901'],
    ['0000000000000000001'],
  ])('refuses the string %j', (text) => {
    expect(parseAmount(text)).toBeUndefined();
  });

  it.each([
    ['4.200', '4.200'],
    ['-0.0', '0.0'],
    ['-0', '0'],
    ['1e3', '1000'],
    ['1.5E3', '1500'],
    ['1.50E1', '15.0'],
    ['-1.234567E2', '-123.4567'],
    ['4.2E9', '4200000000'],
    ['1.0E-5', '0.000010'],
    ['12e-10', '0.0000000012'],
    ['0.00123e5', '123'],
    ['0E+3', '0'],
    ['0.0e1', '0'],
    ['-0e-2', '0.00'],
    ['0e999999999999', '0'],
    ['9.99999999999999999e17', '999999999999999999'],
  ])('takes the number %s for %s', (source, decimal) => {
    expect(parseAmount(new JsonNumber(source))).toBe(decimal);
  });

  it.each([
    ['1e21'],
    ['1e18'],
    ['1e-11'],
    ['1.0e-10'],
    ['0e-11'],
    ['1e999999999999'],
    ['1e-999999999999'],
    ['1234567890123456789'],
    ['1.12345678901'],
  ])('refuses the number %s, which it would have to round or widen', (source) => {
    expect(parseAmount(new JsonNumber(source))).toBeUndefined();
  });

  it.each([[undefined], [null], [true], [['1']], [{ amount: '1' }]])('refuses %j, which is no amount', (value) => {
    expect(parseAmount(value)).toBeUndefined();
  });

  it('gives back every valid decimal digit for digit, as string and as number', () => {
    fc.assert(
      fc.property(decimals, (decimal) => {
        expect(parseAmount(decimal)).toBe(decimal);
        expect(parseAmount(new JsonNumber(decimal))).toBe(decimal);
      }),
    );
  });

  it('expands an exponent exactly, or refuses the number', () => {
    const sources = fc
      .tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 20n }), digits(0, 12), fc.integer({ min: -30, max: 30 }))
      .map(([minus, int, frac, exponent]) => `${minus ? '-' : ''}${int}${frac && `.${frac}`}e${exponent}`);
    fc.assert(
      fc.property(sources, (source) => {
        const amount = parseAmount(new JsonNumber(source));
        const [mantissa = '', exponent] = source.split('e');
        const scale = (mantissa.split('.')[1]?.length ?? 0) - Number(exponent);
        const value = new exact(source);
        if (scale > 10 || value.abs().gte('1e18')) {
          expect(amount).toBeUndefined();
        } else {
          expect(amount).toBe(value.toFixed(Math.max(scale, 0)).replace(/^-(?=[0.]*$)/, ''));
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('decimal arithmetic', () => {
  it.each([
    ['100.0', '0.25', '99.75'],
    ['5.00', '1', '4.00'],
    ['1', '1.000', '0.000'],
    ['0.1', '0.3', '-0.2'],
    ['-1', '-1', '0'],
    ['7896.21', '5000.00', '2896.21'],
  ])('subtracts with the larger scale: %s - %s = %s', (a, b, difference) => {
    expect(subtract(a, b)).toBe(difference);
  });

  it('subtracts, compares and negates as the exact numbers do', () => {
    fc.assert(
      fc.property(decimals, decimals, (a, b) => {
        const scale = Math.max(new exact(a).dp(), a.split('.')[1]?.length ?? 0, b.split('.')[1]?.length ?? 0);
        expect(subtract(a, b)).toBe(
          new exact(a)
            .minus(b)
            .toFixed(scale)
            .replace(/^-(?=[0.]*$)/, ''),
        );
        expect(compare(a, b)).toBe(new exact(a).comparedTo(b));
        expect(negate(negate(a))).toBe(a);
        expect(sameNumber(a, negate(a))).toBe(isZero(a));
      }),
    );
  });

  it('compares numbers, not texts: 100.0 is 100.00, and 9 is less than 10', () => {
    expect(sameNumber('100.0', '100.00')).toBe(true);
    expect(compare('9', '10')).toBe(-1);
    expect(compare('-9', '-10')).toBe(1);
  });

  it('knows no negative zero', () => {
    expect(negate('0.00')).toBe('0.00');
    expect(isNegative('-0.00')).toBe(false);
    expect(isNegative('-0.01')).toBe(true);
  });

  it.each([
    ['0.125', '1', '0.12'],
    ['0.135', '1', '0.14'],
    ['-0.125', '1', '-0.12'],
    ['-0.135', '1', '-0.14'],
    ['0.1251', '1', '0.13'],
    ['0.004', '1', '0.00'],
    ['-0.005', '1', '0.00'],
    ['7896.21', '0.2451', '1935.36'],
  ])('multiplies and rounds half to even: %s × %s = %s', (value, factor, product) => {
    expect(multiplyRounded(value, factor, 2)).toBe(product);
  });

  it.each([
    ['1', '8', '0.12'],
    ['3', '8', '0.38'],
    ['-1', '8', '-0.12'],
    ['1', '3', '0.33'],
    ['2', '3', '0.67'],
    ['100.00', '4.0812', '24.50'],
    ['1', '-8', '-0.12'],
  ])('divides and rounds half to even: %s ÷ %s = %s', (value, divisor, quotient) => {
    expect(divideRounded(value, divisor, 2)).toBe(quotient);
  });

  it('rounds products and quotients once, as the exact result does', () => {
    const scales = fc.integer({ min: 0, max: 6 });
    fc.assert(
      fc.property(decimals, decimals, scales, (a, b, scale) => {
        const positive = (text: string): string => text.replace(/^-(?=[0.]*$)/, '');
        expect(multiplyRounded(a, b, scale)).toBe(positive(new exact(a).times(b).toFixed(scale)));
        fc.pre(!isZero(b));
        expect(divideRounded(a, b, scale)).toBe(positive(new exact(a).div(b).toFixed(scale)));
      }),
      { numRuns: 500 },
    );
  });

  it('refuses to calculate with what is no decimal', () => {
    for (const text of ['', 'NaN', '0x10', '1e3', ' 1', '.5', 'Infinity']) {
      expect(() => compare(text, '1')).toThrow(TypeError);
    }
    expect(() => divideRounded('1', '0.00', 2)).toThrow(RangeError);
  });
});

describe('multiply', () => {
  it('is exact, with the decimals of both', () => {
    fc.assert(
      fc.property(decimals, decimals, (a, b) => {
        const product = multiply(a, b);
        expect(new Oracle(product).eq(new exact(a).times(b))).toBe(true);
        expect(scaleOf(product)).toBe(scaleOf(a) + scaleOf(b));
      }),
    );
  });
});

describe('absolute', () => {
  it('is the distance from zero, with the same decimals', () => {
    expect(['-4.20', '4.20', '0.00'].map(absolute)).toEqual(['4.20', '4.20', '0.00']);
  });
});

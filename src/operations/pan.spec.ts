/* eslint-disable @typescript-eslint/restrict-template-expressions, @typescript-eslint/restrict-plus-operands -- the types forbid what is tried here */
import { format, inspect } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { Pan } from './pan';

const numbers = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 12, maxLength: 19 });

/** Two numbers that differ in the hidden digits alone. */
const alike = numbers.map((digits) => [
  digits,
  digits.slice(0, 6) + digits.slice(6, -4).replace(/[0-9]/g, (digit) => String(9 - Number(digit))) + digits.slice(-4),
]);

/** Everything that turns a value into text or into another value, as code and libraries do it. */
const WAYS: readonly [string, (pan: Pan) => unknown][] = [
  ['String()', (pan) => String(pan)],
  ['a template', (pan) => `${pan}`],
  ['concatenation', (pan) => '' + pan],
  ['a list joined', (pan) => [pan, pan].join()],
  ['JSON', (pan) => JSON.stringify({ party: [{ cardNumber: pan }] })],
  ['JSON with a replacer', (pan) => JSON.stringify({ pan }, (_key, value: unknown) => value)],
  ['inspect', (pan) => inspect({ pan }, { depth: 9, showHidden: true, getters: true })],
  ['inspect without our method', (pan) => inspect(pan, { customInspect: false, showHidden: true, getters: true })],
  ['format %s', (pan) => format('%s', pan)],
  ['format %d', (pan) => format('%d', pan)],
  ['format %o', (pan) => format('%o', pan)],
  ['format %O', (pan) => format('%O', pan)],
  ['format %j', (pan) => format('%j', pan)],
  ['an error message', (pan) => new Error(`fault of ${pan}`).stack],
  ['the cause of an error', (pan) => inspect(new Error('fault', { cause: pan }))],
  ['a structured clone', (pan) => JSON.stringify(structuredClone({ pan }))],
  ['a clone of an error', (pan) => inspect(structuredClone(new Error('fault', { cause: { pan } })), { depth: 9 })],
  ['the V8 serializer', (pan) => serialize({ pan }).toString('latin1')],
  ['the V8 serializer and back', (pan) => inspect(deserialize(serialize({ pan })), { depth: 9, showHidden: true })],
  ['its own properties', (pan) => JSON.stringify([Object.entries(pan), Reflect.ownKeys(pan), { ...pan }])],
  ['assignment', (pan) => inspect(Object.assign({}, pan), { showHidden: true })],
  ['valueOf', (pan) => pan.valueOf()],
  ['arithmetic', (pan) => String(Number(pan))],
  ['a key', (pan) => JSON.stringify({ [String(pan)]: 1 })],
];

describe('Pan', () => {
  // Two numbers that look alike behind the mask must be written alike, whatever else the text holds (a stack has line
  // numbers of its own, so looking for the hidden digits in it would find them by chance).
  it.each(WAYS)('never gives its digits to %s', (_title, write) => {
    fc.assert(
      fc.property(alike, (numbers) => {
        const [one, other] = numbers.map((digits) => String(write(new Pan(digits))));
        expect(one).toBe(other);
      }),
      { numRuns: 50 },
    );
  });

  it('shows the first six and last four digits', () => {
    expect(`${new Pan('4111111111111111')}`).toBe('411111******1111');
    expect(JSON.stringify([new Pan('378282246310005')])).toBe('["378282*****0005"]');
    expect(inspect(new Pan('4111111111111111'))).toBe('Pan(411111******1111)');
  });

  it('gives the digits to reveal alone', () => {
    fc.assert(fc.property(numbers, (digits) => new Pan(digits).reveal() === digits));
  });

  it.each(['', '41111111111', '4'.repeat(20), '4111 1111 1111 1111', '4111-1111-1111', 'x'.repeat(16)])(
    'refuses %j and does not repeat it',
    (text) => {
      expect(() => new Pan(text)).toThrow(/^a card number has 12 to 19 digits$/);
    },
  );
});

import fc from 'fast-check';
import { isJsonObject, JsonNumber, JsonProblem, parseJson, type JsonValue } from './json';

/** The parsed value in the engine's terms, so that both parsers can be compared. */
function plain(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number(value.source);
  if (Array.isArray(value)) return value.map(plain);
  if (isJsonObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
  return value;
}

function problemOf(text: string): string {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof JsonProblem) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('parseJson', () => {
  it('keeps every number exactly as it was written', () => {
    const sources = ['4.200', '-0', '0.10', '1E+3', '1e-10', '123456789012345678901234567890.000', '-1.5e9'];
    expect(parseJson(`[${sources.join(' , ')}]`)).toEqual(sources.map((source) => new JsonNumber(source)));
  });

  it('reads every text as the engine does, numbers aside', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(undefined, 1, '\t'), (json, indent) => {
        fc.pre(problemOf(json) === 'accepted' || !/twice|not allowed|surrogate|U\+0000/.test(problemOf(json)));
        const text = JSON.stringify(JSON.parse(json), null, indent);
        expect(plain(parseJson(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('refuses every text that the engine refuses', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]":,\\u0129-+.eE tfn\n') }), (text) => {
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        fc.pre(!valid);
        expect(problemOf(text)).not.toBe('accepted');
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['a key that occurs twice', '{"amount":1,"amount":2}', 'the key "amount" occurs twice in one object (position 12)'],
    [
      'a long key that occurs twice',
      `{"${'k'.repeat(41)}":1,"${'k'.repeat(41)}":2}`,
      'a key of 41 characters occurs twice in one object (position 47)',
    ],
    ['a key that occurs twice, once escaped', '{"amount":1,"\\u0061mount":2}', 'the key "amount" occurs twice'],
    ['__proto__', '{"__proto__":{"polluted":true}}', 'the key __proto__ is not allowed (position 1)'],
    ['__proto__, escaped', '{"\\u005f_proto__":1}', 'the key __proto__ is not allowed'],
    ['constructor', '[{"constructor":1}]', 'the key constructor is not allowed'],
    ['prototype', '{"prototype":1}', 'the key prototype is not allowed'],
    ['a byte order mark', '\ufeff{}', 'a byte order mark'],
    ['text after the value', '{} x', 'text after the end of the JSON value (position 3)'],
    ['a second value', '{}{}', 'text after the end'],
    ['nothing', '', 'the text ends early (position 0)'],
    ['a trailing comma in an object', '{"a":1,}', 'expected a key in double quotes'],
    ['a trailing comma in a list', '[1,]', 'expected a value'],
    ['a list without end', '[1', 'expected a comma or the end of the list'],
    ['a leading zero', '[007]', 'expected a comma or the end of the list'],
    ['a leading plus', '[+1]', 'expected a value'],
    ['NaN', '[NaN]', 'expected a value'],
    ['a number that ends in its point', '[1.]', 'expected a comma'],
    ['a literal cut short', '[tru]', 'expected a value'],
    ['a string without end', '["abc', 'a string without end (position 1)'],
    ['a string that ends in its escape', '["abc\\"]', 'a string without end'],
    ['a raw line feed in a string', '["a\nb"]', 'a control character in a string (position 3)'],
    ['an unknown escape', '["\\x41"]', 'an escape that JSON does not know'],
    ['half an escaped surrogate pair', '["\\ud800"]', 'a string with half a surrogate pair'],
    ['half a raw surrogate pair', '["\udc00"]', 'a string with half a surrogate pair'],
    ['the character U+0000', '["a\\u0000b"]', 'a string with the character U+0000'],
    ['a space that JSON does not know', '[\u00a01]', 'expected a value'],
  ])('refuses %s', (_what, text, message) => {
    expect(problemOf(text)).toContain(message);
  });

  it('takes the character U+0000 where the caller has a rule for it', () => {
    expect(plain(parseJson('["a\\u0000b"]', { nulAllowed: true }))).toEqual(['a\0b']);
  });

  it('accepts the same key in two objects, and a whole surrogate pair', () => {
    expect(plain(parseJson('[{"a":1},{"a":"\\ud83d\\ude00"}]'))).toEqual([{ a: 1 }, { a: '\u{1f600}' }]);
  });

  it('skips the four kinds of space that JSON knows, everywhere between its parts', () => {
    const space = ' \t\r\n';
    const text = ['', '{', '"a"', ':', '[', '1', ',', 'true', ']', ',', '"b"', ':', 'null', '}', ''].join(space);
    expect(plain(parseJson(text))).toEqual({ a: [1, true], b: null });
  });

  it('gives objects without prototype, so that no inherited name passes for a member of the text', () => {
    const value = parseJson('{"a":1}');
    expect(isJsonObject(value) && value['toString']).toBeUndefined();
  });

  it('accepts 32 levels and refuses 33, and counts levels, not brackets', () => {
    expect(problemOf('['.repeat(32) + ']'.repeat(32))).toBe('accepted');
    expect(problemOf('['.repeat(33) + ']'.repeat(33))).toContain('more than 32 levels');
    expect(problemOf(`[${'[],{},'.repeat(100)}[]]`)).toBe('accepted');
    expect(() => parseJson('[[]]', { maxDepth: 1 })).toThrow(JsonProblem);
  });

  it('refuses 10,000 levels within 50 ms', () => {
    const start = performance.now();
    expect(problemOf('{"a":'.repeat(10_000))).toContain('levels');
    expect(problemOf('['.repeat(10_000))).toContain('levels');
    expect(performance.now() - start).toBeLessThan(50);
  });

  it('reads a body of 1 MB within half a second', () => {
    const text = JSON.stringify(
      Array.from({ length: 12_000 }, (_, i) => ({ amount: `${i}.25`, note: 'a "quoted" \u00e9' })),
    );
    const padded = `${text.slice(0, -1)},"${'x'.repeat(500_000)}"]`;
    const start = performance.now();
    expect(parseJson(padded)).toHaveLength(12_001);
    expect(performance.now() - start).toBeLessThan(500);
  });

  it('quotes no more than the beginning of a key', () => {
    const key = 'k'.repeat(10_000);
    expect(problemOf(`{"${key}":1,"${key}":2}`).length).toBeLessThan(120);
    expect(problemOf('{"token":"abcdef\\q"}')).not.toContain('abcdef');
  });
});

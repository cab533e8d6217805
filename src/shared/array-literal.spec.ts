import fc from 'fast-check';
import { arrayLiteral } from './array-literal';

describe('a list as an array literal', () => {
  it.each([
    [[], '{}'],
    [['a', 'b c', ''], '{a,"b c",""}'],
    [['2026-11-28T03:00:00.000Z', '-1.50', 'obg-1', 'ü'], '{2026-11-28T03:00:00.000Z,-1.50,obg-1,"ü"}'],
    [['NULL', 'null', 'nullable', null, undefined], '{"NULL","null",nullable,NULL,NULL}'],
    [[1, 2.5, true, false, 10n], '{1,2.5,true,false,10}'],
    [['say "no"', 'back\\slash', '{x,y}'], '{"say \\"no\\"","back\\\\slash","{x,y}"}'],
  ])('writes %j as %s', (items, literal) => {
    expect(arrayLiteral(items)).toBe(literal);
  });

  it.each([[[new Date(0)]], [[Buffer.from('x')]], [['a', ['b']]]])('leaves %j to the driver', (items) => {
    expect(arrayLiteral(items)).toBeUndefined();
  });

  it('escapes every quote and backslash, whatever stands around them', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ unit: fc.constantFrom('"', '\\', ',', '{', '}', 'a', ' ', 'é', '\n', '\u0001', '\ud800') }),
        ),
        (texts) => {
          const escaped = (text: string): string =>
            text
              .split('')
              .map((unit) => (unit === '"' || unit === '\\' ? `\\${unit}` : unit))
              .join('');
          const quoted = (text: string): string => (/^a+$/.test(text) ? text : `"${escaped(text)}"`);
          expect(arrayLiteral(texts)).toBe(`{${texts.map(quoted).join(',')}}`);
        },
      ),
    );
  });
});

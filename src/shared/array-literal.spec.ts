import fc from 'fast-check';
import { arrayLiteral } from './array-literal';

describe('a list as an array literal', () => {
  it.each([
    [[], '{}'],
    [['a', 'b c', ''], '{"a","b c",""}'],
    [['NULL', null, undefined], '{"NULL",NULL,NULL}'],
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
        fc.array(fc.string({ unit: fc.constantFrom('"', '\\', ',', '{', '}', 'a', ' ', 'é', '\n') })),
        (texts) => {
          // JSON escapes these characters alike, but for the line feed, which an array literal takes as it is.
          const expected = texts.map((text) => JSON.stringify(text).replaceAll('\\n', '\n'));
          expect(arrayLiteral(texts)).toBe(`{${expected.join(',')}}`);
        },
      ),
    );
  });
});

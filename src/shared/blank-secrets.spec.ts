import fc from 'fast-check';
import { blankSecrets } from './blank-secrets';

/** Each way to write one character of a JSON string. */
function spellings(character: string): string[] {
  const hex = character.charCodeAt(0).toString(16).padStart(4, '0');
  const short = JSON.stringify(character).slice(1, -1);
  return [short, character === '/' ? '\\/' : short, `\\u${hex}`, `\\u${hex.toUpperCase()}`];
}

describe('blankSecrets', () => {
  it('finds a secret in every spelling that JSON has for it, and nothing else', () => {
    const characters = fc.constantFrom(...'aZ0/+="\\.*$ü\t\n');
    const secrets = fc.array(fc.tuple(characters, fc.nat(3)), { minLength: 4, maxLength: 30 });
    fc.assert(
      fc.property(secrets, (units) => {
        const secret = units.map(([character]) => character).join('');
        const written = units.map(([character, way]) => spellings(character)[way]).join('');
        expect(JSON.parse(`"${written}"`)).toBe(secret);
        expect(blankSecrets(`{"x":"<${written}>"}`, [secret])).toBe('{"x":"<[secret]>"}');
        expect(blankSecrets(`<${secret}>`, [secret])).toBe('<[secret]>');
        expect(blankSecrets('{"x":"other\\nwords"}', [secret])).toBe('{"x":"other\\nwords"}');
      }),
    );
  });

  it('leaves a text without a secret as it is', () => {
    expect(blankSecrets('the \\/ is \\u0041', [undefined, '', 'is', 'absent'])).toBe('the \\/ is \\u0041');
  });
});

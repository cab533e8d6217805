import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import type { Environment } from '../config/environment';
import { SecretProblem } from '../shared/secret-box';
import { CardVault } from './card-vault';

const key = (id: string): { id: string; key: Buffer } => ({ id, key: randomBytes(32) });
const vault = (...cardDataKeys: { id: string; key: Buffer }[]): CardVault =>
  new CardVault({ cardDataKeys } as Pick<Environment, 'cardDataKeys'> as Environment);

const PLAIN = '{"cardNumber":"4111111111111111"}';
const [first, second] = [key('a'), key('b')];

describe('the card vault', () => {
  it('opens what it sealed, for the record it was sealed for and no other', () => {
    const { payload } = vault(first).seal(PLAIN, 'number-1');
    const open = (communicationNumber: string): string =>
      vault(first).openPayload({ payload, sealed: true, communicationNumber });
    expect(payload).not.toContain('4111');
    expect(open('number-1')).toBe(PLAIN);
    expect(() => open('number-2')).toThrow(SecretProblem);
  });

  it('hands bytes without card data over as they are, with and without keys', () => {
    const record = { payload: '{}', sealed: false, communicationNumber: 'n' };
    expect([vault().openPayload(record), vault(first).openPayload(record)]).toEqual(['{}', '{}']);
  });

  it('says of shredded bytes that they are shredded', () => {
    const record = { payload: null, sealed: true, communicationNumber: 'n' };
    expect(() => vault(first).openPayload(record)).toThrow('shredded');
  });

  it('reads with every key and writes with the first, bytes and hashes alike', () => {
    const old = vault(first).seal(PLAIN, 'n');
    const both = vault(second, first);
    expect(both.openPayload({ payload: old.payload, sealed: true, communicationNumber: 'n' })).toBe(PLAIN);
    expect(both.isHashOf(old.digest, PLAIN)).toBe(true);
    expect(both.isHashOf(both.keyedHash(PLAIN), PLAIN)).toBe(true);
    expect(both.keyedHash(PLAIN)).not.toEqual(old.digest);
    expect(vault(second).isHashOf(old.digest, PLAIN)).toBe(false);
    expect([both.canCompare(old.digest), vault(second).canCompare(old.digest)]).toEqual([true, false]);
    expect(vault().canCompare(vault().plainHash(PLAIN))).toBe(true);
    expect(() => vault(second).openPayload({ payload: old.payload, sealed: true, communicationNumber: 'n' })).toThrow(
      'CARD_DATA_KEYS',
    );
  });

  it('gives one hash to one content and another to every other, keyed or not', () => {
    const one = vault(first);
    for (const hash of [one.keyedHash('x'), one.plainHash('x')]) {
      expect([one.isHashOf(hash, 'x'), one.isHashOf(hash, 'y')]).toEqual([true, false]);
    }
    expect(one.plainHash('x')).toEqual(vault(second).plainHash('x'));
    expect(one.keyedHash('x')).not.toEqual(vault(second).keyedHash('x'));
  });

  it('cannot seal without keys and says which variable is missing', () => {
    expect(() => vault().seal(PLAIN, 'n')).toThrow('CARD_DATA_KEYS');
    expect(() => vault().keyedHash(PLAIN)).toThrow('CARD_DATA_KEYS');
  });

  it('shows no key when it is logged', () => {
    expect(inspect(vault(first), { depth: 9, showHidden: true })).not.toContain('Buffer');
    expect(JSON.stringify(vault(first))).toBe('{}');
  });
});

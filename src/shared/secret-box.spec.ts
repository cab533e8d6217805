import { randomBytes } from 'node:crypto';
import { SecretBox, SecretProblem } from './secret-box';

const context = 'connection|secrets.apiKey|17';
const first = { id: 'k1', key: randomBytes(32) };
const second = { id: 'k2', key: randomBytes(32) };
const box = new SecretBox([first]);

describe('SecretBox', () => {
  it.each(['', 'plain', 'Grüße, 世界 🙂', 'x'.repeat(100_000)])('opens what it sealed, to the character', (plain) => {
    expect(box.open(box.seal(plain, context), context)).toBe(plain);
  });

  it('never seals the same text to the same bytes twice', () => {
    const sealed = new Set(Array.from({ length: 10_000 }, () => box.seal('same', context)));
    expect(sealed.size).toBe(10_000);
  });

  it('does not open a text in another row or column', () => {
    const sealed = box.seal('plain', context);
    expect(() => box.open(sealed, 'connection|secrets.apiKey|18')).toThrow(SecretProblem);
    expect(() => box.open(sealed, 'connection|secrets.clientKey|17')).toThrow(SecretProblem);
  });

  it('refuses a sealed text in which any one character differs', () => {
    const sealed = box.seal('plain', context);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
      expect(() => box.open(changed, context)).toThrow(SecretProblem);
    }
  });

  it('refuses a truncated or foreign text', () => {
    const sealed = box.seal('plain', context);
    for (const text of [
      '',
      'v1',
      'v1.k1',
      'v1.k1.',
      'plain',
      sealed.slice(0, -4),
      `${sealed}.x`,
      `v2${sealed.slice(2)}`,
    ]) {
      expect(() => box.open(text, context)).toThrow(SecretProblem);
    }
  });

  it('seals with the first key and still opens texts of the older ones', () => {
    const sealed = box.seal('plain', context);
    const rotated = new SecretBox([second, first]);
    expect(rotated.open(sealed, context)).toBe('plain');
    expect(rotated.seal('plain', context)).toMatch(/^v1\.k2\./);
    expect(() => new SecretBox([second]).open(sealed, context)).toThrow('ENCRYPTION_KEYS');
  });

  it('does not open with a wrong key of the same id, and says nothing of the content', () => {
    const sealed = box.seal('visible-nowhere', context);
    const wrong = new SecretBox([{ id: 'k1', key: randomBytes(32) }]);
    expect(() => wrong.open(sealed, context)).toThrow(SecretProblem);
    expect(() => wrong.open(sealed, context)).not.toThrow(/visible-nowhere/);
  });

  it('names the key that is gone, so that it can be put back', () => {
    const sealed = box.seal('plain', context);
    expect(() => new SecretBox([second]).open(sealed, context)).toThrow(
      'the key k1, which ENCRYPTION_KEYS does not hold',
    );
  });

  it('does not start without a key, with a short key, or with two keys of one id', () => {
    expect(() => new SecretBox([])).toThrow(SecretProblem);
    expect(() => new SecretBox([{ id: 'k1', key: randomBytes(16) }])).toThrow('32 bytes');
    expect(() => new SecretBox([first, { ...second, id: 'k1' }])).toThrow('share one id');
    expect(() => new SecretBox([{ id: 'a.b', key: randomBytes(32) }])).toThrow('unusable id');
  });
});

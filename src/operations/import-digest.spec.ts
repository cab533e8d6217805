import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import type { Line } from '../admin/imports/split-lines';
import type { Environment } from '../config/environment';
import { type BodyDigest, ImportDigests } from './import-digest';

const key = (id: string): { id: string; key: Buffer } => ({ id, key: randomBytes(32) });
const [first, second] = [key('a'), key('b')];
const digests = (...encryptionKeys: { id: string; key: Buffer }[]): ImportDigests =>
  new ImportDigests({ encryptionKeys } as Pick<Environment, 'encryptionKeys'> as Environment);

type Known = Parameters<ImportDigests['begin']>[0];
const FRESH: Known = { id: '1', status: 'running', nextLine: 1, digest: undefined };

async function* body(texts: readonly (string | undefined)[]): AsyncGenerator<Line> {
  for (const [at, text] of texts.entries()) {
    yield await Promise.resolve(
      text === undefined ? { number: at + 1, text, fault: 'must be UTF-8' } : { number: at + 1, text },
    );
  }
}

/** Numbers of the lines that were handed on before the end or the refusal. */
async function follow(
  digest: BodyDigest,
  texts: (string | undefined)[],
  takeUp?: Parameters<BodyDigest['follow']>[1],
): Promise<(number | string)[]> {
  const seen: (number | string)[] = [];
  try {
    for await (const { number } of digest.follow(body(texts), takeUp)) seen.push(number);
  } catch (error) {
    seen.push(String(error));
  }
  return seen;
}

async function digestOf(texts: (string | undefined)[], known = FRESH, keys = [first]): Promise<Buffer | undefined> {
  const digest = digests(...keys).begin(known);
  await follow(digest, texts);
  return digest.current();
}

describe('the digest of an import', () => {
  const LINE = '{"cardNumber":"4111111111111111"}';

  it('is another one with another key, another import, another place or another kind of line', async () => {
    const all = await Promise.all([
      digestOf([LINE]),
      digestOf([LINE], FRESH, [second]),
      digestOf([LINE], { ...FRESH, id: '2' }),
      digestOf(['', LINE]),
      digestOf([`${LINE} `]),
      digestOf([undefined]),
      digestOf(['must be UTF-8']),
      digestOf([]),
    ]);
    expect(new Set(all.map((digest) => digest?.toString('hex'))).size).toBe(all.length);
    expect(await digestOf([LINE, '', ' '])).toEqual(all[0]);
  });

  it('hands on what follows the stored lines, and nothing where those are others', async () => {
    const known = { ...FRESH, nextLine: 3, digest: await digestOf(['a', 'b']) };
    const read = (...texts: string[]): Promise<unknown[]> => follow(digests(first).begin(known), texts);
    expect(await read('a', 'b', 'c', 'd')).toEqual([1, 2, 3, 4]);
    expect(await read('a', 'b')).toEqual([1, 2]);
    expect(await read('a', 'x', 'c', 'd')).toEqual([1, 2, expect.stringContaining('import 1')]);
    expect(await read('a')).toEqual([1, expect.stringContaining('import 1')]);
    expect(await read('a', '', 'b')).toEqual([1, expect.stringContaining('import 1')]);
  });

  it('compares again where the import has moved on in the meantime, and takes it up once', async () => {
    const known = async (...stored: string[]): Promise<Known> => {
      return { ...FRESH, nextLine: stored.length + 1, digest: await digestOf(stored) };
    };
    const read = async (moved: Known, ...texts: string[]): Promise<unknown[]> => {
      const asked: (Known | undefined)[] = [moved, undefined];
      const takeUp = (): Promise<Known | undefined> => Promise.resolve(asked.shift());
      const seen = await follow(digests(first).begin(await known('a')), texts, takeUp);
      return [...seen, asked.length];
    };
    expect(await read(await known('a', 'b', 'c'), 'a', 'b', 'c', 'd')).toEqual([1, 2, 3, 4, 0]);
    expect(await read(await known('a', 'b'), 'a', 'x', 'c')).toEqual([1, 2, expect.stringContaining('line 2'), 1]);
    const finished: Known = { ...(await known('a', 'b')), status: 'finished' };
    expect(await read(finished, 'a', 'b')).toEqual([1, 2, 1]);
    expect(await read(finished, 'a', 'b', 'c')).toEqual([1, 2, 3, expect.stringContaining('all of its body'), 1]);
  });

  it('goes on with the key it began with after that is replaced, and says when it is gone', async () => {
    const known = { ...FRESH, nextLine: 2, digest: await digestOf(['a']) };
    const rotated = digests(second, first).begin(known);
    expect(await follow(rotated, ['a', 'b'])).toEqual([1, 2]);
    expect(rotated.current()).toEqual(await digestOf(['a', 'b']));
    expect(await follow(digests(second).begin(known), ['a', 'b'])).toEqual([expect.stringContaining('cannot be told')]);
  });

  it('shows no key when it is logged', () => {
    expect(inspect(digests(first), { depth: 9, showHidden: true })).not.toContain('Buffer');
    expect(inspect(digests(first).begin(FRESH), { depth: 9, showHidden: true })).not.toContain('Buffer');
  });
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AmlyzeToken } from './amlyze-token';

describe('the token of AMLYZE', () => {
  let folder: string;
  let path: string;
  let nowMs: number;
  const laterBy = (ms: number): void => {
    nowMs += ms;
  };
  const fromFile = (): AmlyzeToken => new AmlyzeToken({ amlyzeTokenFile: path }, () => nowMs);
  const tokenOf = (token: AmlyzeToken): string => {
    const reading = token.current();
    return reading.ok ? reading.token : `! ${reading.problem}`;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'amlyze-token-'));
    path = join(folder, 'token');
    nowMs = 0;
    writeFileSync(path, '  first-example \r\n');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is trimmed, and the same from a file as from the variable', () => {
    expect(tokenOf(fromFile())).toBe('first-example');
    const fromVariable = new AmlyzeToken({ amlyzeToken: 'first-example' });
    expect(tokenOf(fromVariable)).toBe('first-example');
    expect(fromVariable.digest()).toBe(fromFile().digest());
    expect(fromVariable.digest()).not.toContain('first-example');
  });

  test.each([
    ['overwritten', (): void => writeFileSync(path, 'other-example\n')],
    [
      'replaced by a rename',
      (): void => {
        writeFileSync(`${path}.new`, '  other-example \r\n');
        renameSync(`${path}.new`, path);
      },
    ],
    [
      'reached through a link that points elsewhere now',
      (): void => {
        writeFileSync(`${path}.other`, 'other-example');
        symlinkSync(`${path}.other`, `${path}.link`);
        renameSync(`${path}.link`, path);
      },
    ],
  ])('follows a file that was %s, within a second', (_how, change) => {
    const token = fromFile();
    const digest = (tokenOf(token), token.digest());
    change();
    laterBy(999);
    expect(tokenOf(token)).toBe('first-example');
    laterBy(1);
    expect(tokenOf(token)).toBe('other-example');
    expect(token.digest()).not.toBe(digest);
  });

  test('is read at once after a 401', () => {
    const token = fromFile();
    expect(tokenOf(token)).toBe('first-example');
    writeFileSync(path, 'other-example');
    token.distrust();
    expect(tokenOf(token)).toBe('other-example');
  });

  test.each([
    ['missing', (): void => rmSync(path), 'cannot be read (ENOENT)'],
    ['empty', (): void => writeFileSync(path, ' \n'), 'holds no token'],
    ['two lines long', (): void => writeFileSync(path, 'one\ntwo'), 'holds characters that no token has'],
    ['no text', (): void => writeFileSync(path, 'tökén'), 'holds characters that no token has'],
    ['far too long', (): void => writeFileSync(path, 'x'.repeat(40_000)), 'is too long for a token'],
    ['a folder', (): void => (rmSync(path), symlinkSync(folder, path)), 'names no regular file'],
    [
      'a pipe that nobody writes',
      (): void => (rmSync(path), void execFileSync('mkfifo', [path])),
      'names no regular file',
    ],
  ])('is a problem in words where the file is %s from the start', (_what, change, problem) => {
    change();
    const token = fromFile();
    expect(tokenOf(token)).toContain(problem);
    expect(token.digest()).toBe('none');
  });

  test('outlives one look at a file that is just being written, not two, and comes back with the file', () => {
    const token = fromFile();
    expect(tokenOf(token)).toBe('first-example');
    writeFileSync(path, '');
    laterBy(1_000);
    expect(tokenOf(token)).toBe('first-example');
    laterBy(1_000);
    expect(tokenOf(token)).toContain('holds no token');
    writeFileSync(path, 'other-example');
    laterBy(1_000);
    expect(tokenOf(token)).toBe('other-example');
    writeFileSync(path, '');
    laterBy(1_000);
    expect(tokenOf(token)).toBe('other-example');
  });

  test('is not read again while the file stays what it was', () => {
    utimesSync(path, 1_000, 1_000);
    const token = fromFile();
    const first = token.current();
    laterBy(60_000);
    expect(token.current()).toBe(first);
  });
});

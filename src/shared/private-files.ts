import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from './error-code';

/** Makes the folder for its owner alone; missing folders above it get the usual mode. */
export function makePrivateFolder(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

/**
 * Reads a file that only its owner may read, and makes it where it is missing. A link makes it appear whole and once: of
 * two processes that start together both read the same text, and a killed one leaves no empty file.
 */
export function readOrCreatePrivateFile(path: string, make: () => string): { text: string; isNew: boolean } {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  let isNew = false;
  try {
    return { text: readFileSync(path, 'utf8'), isNew };
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  try {
    writeFileSync(draft, make(), { mode: 0o600, flag: 'wx', flush: true });
    linkSync(draft, path);
    isNew = true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return { text: readFileSync(path, 'utf8'), isNew };
}

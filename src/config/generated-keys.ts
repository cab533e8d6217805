import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { errorCode } from '../shared/error-code';
import { ConfigurationProblem } from './configuration-problem';

export interface GeneratedKey {
  text: string;
  /** This start made it, so it was never shown before. */
  isNew: boolean;
}

/** The admin key of an installation that keeps everything in DATA_DIR, made at its first start. */
export function generatedAdminKey(dataDir: string): GeneratedKey {
  return readOrCreate(dataDir, 'admin-api-key', () => randomBytes(32).toString('base64url'));
}

/** The key that seals stored secrets; whoever loses it has to enter all bank secrets again. */
export function generatedEncryptionKeys(dataDir: string): GeneratedKey {
  return readOrCreate(dataDir, 'encryption-keys', () => `local:${randomBytes(32).toString('base64')}`);
}

/** Exclusive creation, so that two gateways that start at once agree on one key. Readable by the gateway's user only. */
function readOrCreate(dataDir: string, name: string, make: () => string): GeneratedKey {
  const file = join(resolve(dataDir), name);
  try {
    mkdirSync(resolve(dataDir), { recursive: true, mode: 0o700 });
    const text = make();
    writeFileSync(file, `${text}\n`, { mode: 0o600, flag: 'wx' });
    return { text, isNew: true };
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw unusable(file, error);
  }
  try {
    return { text: readFileSync(file, 'utf8').trim(), isNew: false };
  } catch (error) {
    throw unusable(file, error);
  }
}

function unusable(file: string, cause: unknown): ConfigurationProblem {
  return new ConfigurationProblem([`DATA_DIR: ${file} cannot be used (${errorCode(cause)})`], { cause });
}

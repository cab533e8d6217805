import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { errorCode } from '../shared/error-code';
import { makePrivateFolder, readOrCreatePrivateFile } from '../shared/private-files';
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

/** The key that seals card data; whoever loses it has to submit the operations again that were not sent yet. */
export function generatedCardDataKeys(dataDir: string): GeneratedKey {
  return readOrCreate(dataDir, 'card-data-keys', () => `local-card:${randomBytes(32).toString('base64')}`);
}

function readOrCreate(dataDir: string, name: string, make: () => string): GeneratedKey {
  const folder = resolve(dataDir);
  const file = join(folder, name);
  try {
    makePrivateFolder(folder);
    const { text, isNew } = readOrCreatePrivateFile(file, () => `${make()}\n`);
    return { text: text.trim(), isNew };
  } catch (cause) {
    throw new ConfigurationProblem([`DATA_DIR: ${file} cannot be used (${errorCode(cause)})`], { cause });
  }
}

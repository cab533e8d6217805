import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { StoredProblem } from './stored-problem';

const VERSION = 'v1';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;

export interface SecretKey {
  /** Stored with every sealed text, so that a key can be replaced while texts of the old one are still readable. */
  id: string;
  /** 32 bytes. */
  key: Buffer;
}

/** A sealed text cannot be opened. The message names the reason and never a part of the text or of a key. */
export class SecretProblem extends StoredProblem {
  override readonly name = 'SecretProblem';
}

/**
 * Seals secrets for the database with AES-256-GCM: `v1.<keyId>.<base64url of nonce, tag and ciphertext>`.
 *
 * The context (`table|column|rowId`) is authenticated with the text, so that a sealed value copied to another row or
 * column does not open there.
 */
export class SecretBox {
  private readonly keys: ReadonlyMap<string, Buffer>;
  private readonly writing: SecretKey;

  /** The first key seals, all of them open. */
  constructor(keys: readonly SecretKey[]) {
    const [writing] = keys;
    if (!writing) throw new SecretProblem('no encryption key is configured');
    for (const { id, key } of keys) {
      if (!KEY_ID.test(id)) throw new SecretProblem('an encryption key has an unusable id');
      if (key.length !== KEY_BYTES) throw new SecretProblem(`encryption key ${id} must have ${KEY_BYTES} bytes`);
    }
    this.writing = writing;
    this.keys = new Map(keys.map(({ id, key }) => [id, key]));
    if (this.keys.size !== keys.length) throw new SecretProblem('two encryption keys share one id');
  }

  /** @param context `table|column|rowId` of the place where the sealed text is stored */
  seal(plain: string, context: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.writing.key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(additionalData(this.writing.id, context));
    const ciphertext = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
    const sealed = Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]);
    return `${VERSION}.${this.writing.id}.${sealed.toString('base64url')}`;
  }

  /**
   * @param context the very context the text was sealed with
   * @throws SecretProblem when the text was changed, belongs to another place, or its key is not configured
   */
  open(sealed: string, context: string): string {
    const [version, keyId, body, ...rest] = sealed.split('.');
    if (version !== VERSION || keyId === undefined || body === undefined || rest.length > 0) {
      throw new SecretProblem('the stored secret is not in a known format');
    }
    const key = this.keys.get(keyId);
    if (!key) {
      const name = KEY_ID.test(keyId) ? `the key ${keyId}` : 'a key';
      throw new SecretProblem(`the stored secret was sealed with ${name}, which ENCRYPTION_KEYS does not hold`);
    }
    const bytes = Buffer.from(body, 'base64url');
    // Buffer skips what is not base64url and ignores spare bits: only the one canonical spelling is accepted.
    if (bytes.length < NONCE_BYTES + TAG_BYTES || bytes.toString('base64url') !== body) {
      throw new SecretProblem('the stored secret is damaged');
    }
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(additionalData(keyId, context));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    try {
      const plain = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
      return plain.toString('utf8');
    } catch {
      throw new SecretProblem('the stored secret was changed, belongs to another row, or its key is wrong');
    }
  }
}

/** Key id and version are in clear text in front of the sealed bytes, so they are authenticated too. */
function additionalData(keyId: string, context: string): Buffer {
  return Buffer.from(`${VERSION}|${keyId}|${context}`, 'utf8');
}

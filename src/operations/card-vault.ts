import { createHmac, hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Environment } from '../config/environment';
import { deriveKey } from '../shared/derive-key';
import { sameBytes } from '../shared/same-bytes';
import { SecretBox, SecretProblem } from '../shared/secret-box';

/** What the outbox stores of a record that holds card data. */
export interface SealedPayload {
  /** Ciphertext under the first key of CARD_DATA_KEYS. */
  payload: string;
  /** Keyed hash of the plain bytes. */
  digest: Buffer;
}

/** The parts of a stored record that opening it needs. */
export interface StoredPayload {
  /** null: shredded. */
  payload: string | null;
  sealed: boolean;
  communicationNumber: string;
}

interface HashKey {
  fingerprint: Buffer;
  key: Buffer;
}

const PLAIN = 0;
const KEYED = 1;
const FINGERPRINT_BYTES = 4;

/**
 * Keeps card data away from everything but the send: seals frozen requests with keys of their own, and hashes contents so
 * that they can be compared and not guessed. A hash begins with its kind (0 plain, 1 keyed) and, where keyed, with a mark of
 * its key, so that a replaced key still recognises what it hashed.
 */
@Injectable()
export class CardVault {
  // Private members of the language: no inspection of this object shows a key.
  readonly #box: SecretBox | undefined;
  readonly #hashKeys: readonly HashKey[];

  constructor(environment: Environment) {
    const keys = environment.cardDataKeys ?? [];
    this.#box = keys.length > 0 ? new SecretBox(keys) : undefined;
    this.#hashKeys = keys.map(({ key }) => ({
      fingerprint: deriveKey(key, 'card-data|hash-key-mark', FINGERPRINT_BYTES),
      key: deriveKey(key, 'card-data|hash-key', 32),
    }));
  }

  /** Seals the frozen bytes of one record. */
  seal(plain: string, communicationNumber: string): SealedPayload {
    return { payload: this.openBox().seal(plain, context(communicationNumber)), digest: this.keyedHash(plain) };
  }

  /**
   * The frozen bytes as they are sent. The result may hold card numbers: it goes to AMLYZE or through a mask, nowhere else.
   *
   * @throws SecretProblem where the bytes were shredded, changed, or sealed with a key that is gone
   */
  openPayload({ payload, sealed, communicationNumber }: StoredPayload): string {
    if (payload === null) throw new SecretProblem('the frozen request was shredded: its card data had to go');
    if (!sealed) return payload;
    try {
      return this.openBox().open(payload, context(communicationNumber));
    } catch (cause) {
      const why =
        cause instanceof SecretProblem ? cause.message.replace('ENCRYPTION_KEYS', 'CARD_DATA_KEYS') : 'unknown';
      throw new SecretProblem(why);
    }
  }

  /** Hash of a content without card data: it stands in clear beside, so that no key is needed. */
  plainHash(content: string): Buffer {
    return Buffer.concat([Buffer.of(PLAIN), hash('sha256', `operation|${content}`, 'buffer')]);
  }

  /** Hash of a content with card data (PCI DSS 3.5.1.1: keyed, and over the whole of it). */
  keyedHash(content: string): Buffer {
    const [writing] = this.#hashKeys;
    if (!writing) throw noKeys();
    return mac(writing, content);
  }

  /** Whether `stored` is the hash of this content, under any key that is configured. */
  isHashOf(stored: Buffer, content: string): boolean {
    if (stored[0] === PLAIN) return sameBytes(stored, this.plainHash(content));
    return this.#hashKeys.some((key) => sameBytes(stored, mac(key, content)));
  }

  /** False where the hash was made with a key that is no longer configured, so that nothing can be compared with it. */
  canCompare(stored: Buffer): boolean {
    const mark = stored.subarray(1, 1 + FINGERPRINT_BYTES);
    return stored[0] === PLAIN || this.#hashKeys.some(({ fingerprint }) => sameBytes(mark, fingerprint));
  }

  private openBox(): SecretBox {
    if (!this.#box) throw noKeys();
    return this.#box;
  }
}

/** A hash as answers show it. */
export function showHash(hash: Buffer): string {
  const hex = (from: number, to?: number): string => hash.subarray(from, to).toString('hex');
  if (hash[0] === PLAIN) return `sha256:${hex(1)}`;
  return `hmac-sha256:${hex(1, 1 + FINGERPRINT_BYTES)}:${hex(1 + FINGERPRINT_BYTES)}`;
}

function mac({ fingerprint, key }: HashKey, content: string): Buffer {
  return Buffer.concat([Buffer.of(KEYED), fingerprint, createHmac('sha256', key).update(content, 'utf8').digest()]);
}

/** The place of the ciphertext, so that it does not open under another record. */
function context(communicationNumber: string): string {
  return `amlyze_record|payload|${communicationNumber}`;
}

function noKeys(): SecretProblem {
  return new SecretProblem('no card data key is configured: CARD_DATA_KEYS');
}

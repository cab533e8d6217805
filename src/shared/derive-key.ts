import { hkdfSync } from 'node:crypto';

/** A key, or a mark that names one, for a single purpose: what is made with it tells nothing of the key it came from. */
export function deriveKey(key: Buffer, purpose: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', purpose, bytes));
}

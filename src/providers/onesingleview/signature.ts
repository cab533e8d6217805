import { createHash } from 'node:crypto';

/**
 * The `signature` header: lower-case hex of SHA-256 over the Base64 of the body's UTF-8 bytes with the signature key
 * appended (docs.onesingleview.com, open-banking-api-signature). A plain keyed suffix: no HMAC, no separator. Only the
 * body is signed, so it must be the very text that is sent. The vendor's SHA256withRSA belongs to its B2B product.
 */
export function signature(body: string, signatureKey: string): string {
  const base64 = Buffer.from(body, 'utf8').toString('base64');
  return createHash('sha256')
    .update(base64 + signatureKey, 'utf8')
    .digest('hex');
}

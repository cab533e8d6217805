import { blankSecrets } from '../shared/blank-secrets';
import { maskCardNumbers } from '../shared/card-scan';

/** Characters, several times what is kept of any text: what a bank sends may have millions. */
const MAX_TEXT = 262_144;

/**
 * Blanks out what must not be kept from another party's text: our own secrets (banks echo requests in their error
 * pages), tokens, and card numbers (first six and last four digits stay, PCI DSS 3.4.1). Nothing may be cut before: of half a secret
 * nobody knows any more that it was one.
 */
export function redact(text: string, secrets: Iterable<string | undefined>): string {
  const redacted = blankSecrets(text.slice(0, MAX_TEXT), secrets)
    .replace(/\b(Bearer|Basic)\s+(?=\S*\d)[A-Za-z0-9._~+/=-]{8,}/gi, '$1 [secret]')
    .replace(/\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, '[token]');
  return maskCardNumbers(redacted);
}

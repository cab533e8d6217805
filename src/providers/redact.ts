import { blankSecrets } from '../shared/blank-secrets';
import { passesLuhn } from '../shared/card-scan';

/**
 * Blanks out what must not be kept from another party's text: our own secrets (banks echo requests in their error
 * pages), tokens, and card numbers (first six and last four digits stay, PCI DSS 3.4.1). Nothing may be cut before: of half a secret
 * nobody knows any more that it was one.
 */
export function redact(text: string, secrets: Iterable<string | undefined>): string {
  return blankSecrets(text, secrets)
    .replace(/\b(Bearer|Basic)\s+(?=\S*\d)[A-Za-z0-9._~+/=-]{8,}/gi, '$1 [secret]')
    .replace(/\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, '[token]')
    .replace(/(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)/g, maskCardNumber);
}

function maskCardNumber(candidate: string): string {
  const digits = candidate.replace(/\D/g, '');
  return passesLuhn(digits) ? `${digits.slice(0, 6)}…${digits.slice(-4)}` : candidate;
}

import { ipLiteral, isPublicAddress } from './address-guard';

const MAX_URL_LENGTH = 2048;

/**
 * Checks a configured base URL. Host names are not resolved here: that happens at each connection, after which every address is
 * checked again.
 *
 * @returns what is wrong with it, or undefined when it is usable
 */
export function checkBaseUrl(url: string, allowPrivateAddresses: boolean): string | undefined {
  if (url.length > MAX_URL_LENGTH) return `must not be longer than ${MAX_URL_LENGTH} characters`;
  // The URL parser drops tabs, newlines and outer blanks and turns backslashes round, so the text would not be what is called.
  if (/[\s\p{Cc}\\]/u.test(url)) return 'must not contain blanks, control characters or backslashes';
  // "https:host" and "https:///host" parse too.
  if (!/^https?:\/\/[^/]/i.test(url) || !URL.canParse(url)) return 'must be an absolute https URL';
  const parsed = new URL(url);
  if (parsed.protocol !== 'https:' && !allowPrivateAddresses) return 'must begin with https://';
  if (parsed.username !== '' || parsed.password !== '' || hasUserInfo(url)) return 'must not contain credentials';
  if (url.includes('?') || url.includes('#')) return 'must not have a query or a fragment';
  if (!allowPrivateAddresses && isForbiddenHost(parsed.hostname)) return 'must not name a private or loopback address';
  return undefined;
}

/** "https://@host" parses to empty credentials; the at sign before the path still has no place in a base URL. */
function hasUserInfo(url: string): boolean {
  return /^https?:\/\/[^/?#]*@/i.test(url);
}

function isForbiddenHost(hostname: string): boolean {
  const literal = ipLiteral(hostname);
  if (literal !== undefined) return !isPublicAddress(literal);
  return /(^|\.)localhost\.?$/i.test(hostname);
}

import type { SecretBox } from '../shared/secret-box';

/** What a sealed token of a consent is bound to: in another row or column it does not open. */
export function tokenContext(column: 'access_token' | 'refresh_token', consentRowId: string): string {
  return `consent|${column}|${consentRowId}`;
}

/** Consents whose opened access token is kept at hand, like the secrets of their connections. */
const TOKENS_KEPT = 1_000;

/** Access tokens of consents, opened. Thousands of accounts share a consent, and opening its token costs as much as half a call. */
export class ConsentTokens {
  /** By the sealed text, which a renewed token does not share. */
  private readonly opened = new Map<string, string>();

  constructor(private readonly box: SecretBox) {}

  open(consentRowId: string, sealed: string): string {
    const known = this.opened.get(sealed);
    if (known !== undefined) return known;
    const token = this.box.open(sealed, tokenContext('access_token', consentRowId));
    if (this.opened.size >= TOKENS_KEPT) this.opened.clear();
    this.opened.set(sealed, token);
    return token;
  }
}

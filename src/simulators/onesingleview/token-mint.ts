import { createHash } from 'node:crypto';
import type { Fields } from '../kernel/fields';
import { isOver, type Token, tokenFrom } from '../kernel/grants';

const part = (content: unknown): string => Buffer.from(JSON.stringify(content)).toString('base64url');

export interface TokenSettings {
  /** the vendor's pages say 60 minutes */
  tokenLifetimeMs: number;
  tokenFormat: 'jwt' | 'opaque';
  /** what `expires_in` says; null: the lifetime in seconds. The vendor's pages only ever show 0000. */
  reportedExpiresIn: number | null;
}

/** Hands out access tokens and knows which are still good. */
export class TokenMint {
  minted = 0;
  private readonly tokens = new Map<string, Token>();

  mint(now: number, settings: TokenSettings): { token: string; expiresIn: number } {
    this.minted += 1;
    this.forgetExpired(now);
    const { tokenLifetimeMs, tokenFormat, reportedExpiresIn } = settings;
    const expiresAt = now + tokenLifetimeMs;
    const token = tokenFormat === 'jwt' ? this.jwt(now, expiresAt) : this.opaque(now);
    this.tokens.set(token, { token, expiresAt, revoked: false, consentId: undefined });
    return { token, expiresIn: reportedExpiresIn ?? Math.floor(tokenLifetimeMs / 1000) };
  }

  put(given: Fields, now: number): void {
    const token = tokenFrom(given, this.tokens.get(given.text('token')), now);
    this.tokens.set(token.token, token);
  }

  /** Every token handed out so far stops being good. */
  revokeAll(): void {
    this.tokens.clear();
  }

  expire(token: string): void {
    this.tokens.delete(token);
  }

  isGood(token: string, now: number): boolean {
    const known = this.tokens.get(token);
    return known !== undefined && !known.revoked && !isOver(known.expiresAt, now);
  }

  reset(): void {
    this.tokens.clear();
    this.minted = 0;
  }

  private jwt(now: number, expiresAt: number): string {
    const claims = { iat: Math.floor(now / 1000), exp: Math.floor(expiresAt / 1000), jti: String(this.minted) };
    const content = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
    return `${content}.${createHash('sha256').update(`sandbox ${content}`).digest('base64url')}`;
  }

  private opaque(now: number): string {
    return createHash('sha256')
      .update(`sandbox ${String(this.minted)} ${String(now)}`)
      .digest('base64url');
  }

  private forgetExpired(now: number): void {
    for (const [text, token] of this.tokens) if (isOver(token.expiresAt, now)) this.tokens.delete(text);
  }
}

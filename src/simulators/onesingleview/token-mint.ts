import { createHash } from 'node:crypto';
import type { Fields } from '../kernel/fields';
import { isOver, type Token, tokenFrom } from '../kernel/grants';

const part = (content: unknown): string => Buffer.from(JSON.stringify(content)).toString('base64url');

/** Hands out access tokens and knows which are still good. */
export class TokenMint {
  /** the vendor's pages say 60 minutes */
  lifetimeMs = 3_600_000;
  format: 'jwt' | 'opaque' = 'jwt';
  /** what `expires_in` says; undefined: the lifetime in seconds. The vendor's pages only ever show 0000. */
  reportedExpiresIn: number | undefined;
  minted = 0;
  private readonly tokens = new Map<string, Token>();

  mint(now: number): { token: string; expiresIn: number } {
    this.minted += 1;
    this.forgetExpired(now);
    const expiresAt = now + this.lifetimeMs;
    const token = this.format === 'jwt' ? this.jwt(now, expiresAt) : this.opaque(now);
    this.tokens.set(token, { token, expiresAt, revoked: false, consentId: undefined });
    return { token, expiresIn: this.reportedExpiresIn ?? Math.floor(this.lifetimeMs / 1000) };
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
    this.lifetimeMs = 3_600_000;
    this.format = 'jwt';
    this.reportedExpiresIn = undefined;
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

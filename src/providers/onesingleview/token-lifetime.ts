import { isJsonObject, JsonNumber, JsonProblem, parseJson } from '../../shared/json';
import type { JsonValue } from '../../shared/json';

/** "60 minutes from creation", say the vendor's pages. */
const DOCUMENTED_SECONDS = 3600;
/** The sample shows expires_in as 0000 and no page gives its unit: outside of this range it is not read as seconds. */
const PLAUSIBLE_SECONDS = { from: 1, to: 86_400 };
const MARGIN_SECONDS = 60;
/** Of a token that lives shorter than ten minutes the margin takes a tenth, so that there is always something left. */
const MARGIN_SHARE = 0.1;

/** How long a new token may be used, in milliseconds: the shortest of what is documented, claimed and signed, less a margin. */
export function tokenLifetimeMs(accessToken: string, expiresIn: number | undefined, now: Date): number {
  const claimed =
    expiresIn !== undefined && expiresIn >= PLAUSIBLE_SECONDS.from && expiresIn <= PLAUSIBLE_SECONDS.to
      ? expiresIn
      : DOCUMENTED_SECONDS;
  const seconds = Math.min(DOCUMENTED_SECONDS, claimed, jwtSeconds(accessToken, now) ?? DOCUMENTED_SECONDS);
  return Math.floor((seconds - Math.min(MARGIN_SECONDS, seconds * MARGIN_SHARE)) * 1000);
}

/**
 * Seconds left by the token's own claims (not verified: it is a hint about time, not a proof of identity). A token just
 * issued that is over by our clock tells of a wrong clock; then the span between its claims counts.
 */
function jwtSeconds(accessToken: string, now: Date): number | undefined {
  const claims = jwtClaims(accessToken);
  if (!isJsonObject(claims)) return undefined;
  const exp = seconds(claims.exp);
  if (exp === undefined) return undefined;
  const iat = seconds(claims.iat);
  const span = iat !== undefined && exp > iat ? exp - iat : undefined;
  const left = exp - now.getTime() / 1000;
  if (left <= 0) return span;
  return span === undefined ? left : Math.min(left, span);
}

function jwtClaims(accessToken: string): JsonValue | undefined {
  const [, claims, signed, ...rest] = accessToken.split('.');
  if (claims === undefined || signed === undefined || rest.length > 0) return undefined;
  try {
    return parseJson(Buffer.from(claims, 'base64url').toString('utf8'));
  } catch (error) {
    if (error instanceof JsonProblem) return undefined;
    throw error;
  }
}

function seconds(value: JsonValue | undefined): number | undefined {
  const number = value instanceof JsonNumber ? Number(value.source) : NaN;
  return Number.isFinite(number) && number > 0 ? number : undefined;
}

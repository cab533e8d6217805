import { tokenLifetimeMs } from './token-lifetime';

const NOW = new Date('2025-01-01T00:00:00.000Z');
const NOW_SECONDS = NOW.getTime() / 1000;

function jwt(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part(claims)}.c2ln`;
}

describe('tokenLifetimeMs', () => {
  it.each<[string, string, number | undefined, number]>([
    ['takes the documented hour less a minute for an opaque token', 'opaque', undefined, 3540],
    ['believes a shorter expires_in', 'opaque', 1800, 1740],
    ['does not believe an expires_in beyond the documented hour', 'opaque', 7200, 3540],
    ['does not read 3600000 as seconds', 'opaque', 3_600_000, 3540],
    ['takes a tenth off a very short life', 'opaque', 2, 1.8],
    ['believes the exp of a JWT', jwt({ exp: NOW_SECONDS + 900, iat: NOW_SECONDS }), undefined, 840],
    ['counts what is left of a JWT made earlier', jwt({ exp: NOW_SECONDS + 900, iat: NOW_SECONDS - 2700 }), 0, 840],
    [
      'takes the span of a JWT where our clock is far ahead',
      jwt({ exp: NOW_SECONDS - 60, iat: NOW_SECONDS - 1860 }),
      0,
      1740,
    ],
    ['does not trust a JWT beyond the documented hour', jwt({ exp: NOW_SECONDS + 90_000 }), undefined, 3540],
    ['leaves an exp aside that is no number', jwt({ exp: 'soon' }), undefined, 3540],
    ['leaves claims aside that are no JSON', 'a.b.c', undefined, 3540],
  ])('%s', (_claim, token, expiresIn, seconds) => {
    expect(tokenLifetimeMs(token, expiresIn, NOW)).toBe(seconds * 1000);
  });
});

import { retryAfterMs } from './retry-after';

const YEAR_MS = 366 * 24 * 60 * 60 * 1000;

describe('retryAfterMs', () => {
  const now = new Date('2026-03-01T12:00:00.000Z');
  it.each<[string, number | undefined]>([
    ['0', 0],
    ['120', 120_000],
    [' 30 ', 30_000],
    ['Sun, 01 Mar 2026 12:01:00 GMT', 60_000],
    ['Sunday, 01-Mar-26 12:01:00 GMT', 60_000],
    ['Sun Mar  1 12:01:00 2026', 60_000],
    ['Sun, 01 Mar 2026 11:59:59 GMT', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['2147483647', YEAR_MS],
    ['99999999999', YEAR_MS],
    ['9'.repeat(40), YEAR_MS],
    ['1772366400', YEAR_MS],
    ['Sun, 01 Mar 2099 12:00:00 GMT', YEAR_MS],
    ['2026-03-01T12:01:00Z', undefined],
    ['5, 10', undefined],
    ['soon', undefined],
    ['', undefined],
  ])('reads %j as %p', (text, waitMs) => {
    expect(retryAfterMs({ headers: { 'retry-after': text } }, now)).toBe(waitMs);
    expect(retryAfterMs({ retryAfter: text }, now)).toBe(waitMs);
  });

  it('has nothing to say where the header is absent', () => {
    expect(retryAfterMs({ headers: {} }, now)).toBeUndefined();
    expect(retryAfterMs({}, now)).toBeUndefined();
  });
});

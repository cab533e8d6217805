import { retryAfterMs } from './retry-after';

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
    ['99999999999', undefined],
    ['1772366400', undefined],
    ['Sun, 01 Mar 2099 12:00:00 GMT', undefined],
    ['2026-03-01T12:01:00Z', undefined],
    ['5, 10', undefined],
    ['soon', undefined],
    ['', undefined],
  ])('reads %j as %p', (text, waitMs) => {
    expect(retryAfterMs({ 'retry-after': text }, now)).toBe(waitMs);
  });

  it('has nothing to say where the header is absent', () => {
    expect(retryAfterMs({}, now)).toBeUndefined();
  });
});

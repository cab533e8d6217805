import { backoffMs, OPERATOR_PROBE_MS, rateLimitMs } from './endpoint-pause';

describe('the pause of an endpoint', () => {
  test('that fails as a whole starts at 1 s and doubles to 30 s, however long the outage', () => {
    const pauses = [1, 2, 3, 4, 5, 6, 7, 1_000_000].map(backoffMs);
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  test.each([
    [0, 1_000],
    [999, 1_000],
    [30_000, 30_000],
    [900_000, 900_000],
    [900_001, 900_000],
    [86_400_000, 900_000],
  ])('after 429 with a Retry-After of %i ms lasts %i ms, whatever failed before', (askedMs, pauseMs) => {
    expect([rateLimitMs(askedMs, 0), rateLimitMs(askedMs, 50)]).toEqual([pauseMs, pauseMs]);
  });

  test('after 429 without Retry-After starts at 1 s and doubles to 15 min', () => {
    const pauses = [0, 1, 2, 9, 10, 1_000_000].map((failures) => rateLimitMs(undefined, failures));
    expect(pauses).toEqual([1_000, 2_000, 4_000, 512_000, 900_000, 900_000]);
  });

  test('that waits for a person is probed every 5 minutes', () => {
    expect(OPERATOR_PROBE_MS).toBe(300_000);
  });
});

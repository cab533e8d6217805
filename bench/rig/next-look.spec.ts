import { nextLookMs } from './next-look';

describe('nextLookMs', () => {
  it('waits for a quarter of what the rest takes', () => {
    expect(nextLookMs({ done: 4_000, all: 5_000, elapsedMs: 1_600 })).toBe(100);
  });

  it('looks every 10 ms at the end, and at least once a second', () => {
    expect(nextLookMs({ done: 49_999, all: 50_000, elapsedMs: 20_000 })).toBe(10);
    expect(nextLookMs({ done: 500, all: 50_000, elapsedMs: 200 })).toBe(1_000);
  });

  it('looks every 50 ms before anything is done', () => {
    expect(nextLookMs({ done: 0, all: 50_000, elapsedMs: 4_000 })).toBe(50);
  });

  it('needs a few dozen looks for a round of twenty seconds, and sees its end within 10 ms', () => {
    const all = 50_000;
    let elapsedMs = 0;
    let looks = 0;
    const done = (): number => Math.min(all, Math.floor(Math.max(0, elapsedMs - 200) * 2.5));
    for (; done() < all; looks += 1) elapsedMs += nextLookMs({ done: done(), all, elapsedMs });
    expect(looks).toBeLessThan(60);
    expect(elapsedMs - 20_200).toBeLessThanOrEqual(10);
  });
});

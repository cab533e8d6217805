import fc from 'fast-check';
import { shareSlots } from './share-slots';

const wanting = (...inFlight: number[]): { connectionId: string; inFlight: number }[] =>
  inFlight.map((calls, index) => ({ connectionId: `c${index}`, inFlight: calls }));

describe('shareSlots', () => {
  it('gives a connection that is alone every place', () => {
    expect(shareSlots(32, wanting(0), 0)).toEqual(new Map([['c0', 32]]));
    expect(shareSlots(32, wanting(20), 20)).toEqual(new Map([['c0', 12]]));
  });

  it('shares evenly among connections that want', () => {
    expect(shareSlots(32, wanting(0, 0), 0)).toEqual(
      new Map([
        ['c0', 16],
        ['c1', 16],
      ]),
    );
  });

  it('lets the one with fewer calls under way catch up first', () => {
    expect(shareSlots(8, wanting(5, 0), 5)).toEqual(new Map([['c1', 3]]));
  });

  it('keeps the last quarter from a connection beside others, even while the places stand empty', () => {
    expect(shareSlots(32, wanting(24, 0), 24).get('c0')).toBeUndefined();
    expect(shareSlots(32, wanting(24, 8), 32)).toEqual(new Map());
  });

  it('keeps the last quarter also for others that have had their turn and could not use it all', () => {
    expect(shareSlots(32, wanting(16), 16, true)).toEqual(new Map([['c0', 8]]));
    expect(shareSlots(32, wanting(24), 24, true)).toEqual(new Map());
  });

  it('gives nothing where nobody wants or nothing is free', () => {
    expect(shareSlots(32, [], 0)).toEqual(new Map());
    expect(shareSlots(4, wanting(4), 4)).toEqual(new Map());
    expect(shareSlots(4, wanting(5), 5)).toEqual(new Map());
  });

  it('works with a single place: every connection can have it', () => {
    expect(shareSlots(1, wanting(0, 0), 0)).toEqual(new Map([['c0', 1]]));
  });

  it('never gives more than is free, nor the last quarter to one of several', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 64 }),
        fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 6 }),
        (concurrency, inFlight) => {
          const total = inFlight.reduce((sum, calls) => sum + calls, 0);
          const shares = shareSlots(concurrency, wanting(...inFlight), total);
          const given = [...shares.values()].reduce((sum, calls) => sum + calls, 0);
          expect(given).toBeLessThanOrEqual(Math.max(0, concurrency - total));
          if (inFlight.length === 1) expect(given).toBe(Math.max(0, concurrency - total));
          for (const [id, quota] of inFlight.length > 1 ? shares : []) {
            const calls = (inFlight[Number(id.slice(1))] ?? 0) + quota;
            expect(calls).toBeLessThanOrEqual(Math.max(1, Math.floor(concurrency * 0.75)));
          }
        },
      ),
    );
  });

  it('adds what may be claimed ahead, without taking places from others', () => {
    expect(shareSlots(8, wanting(-5, 8), 8)).toEqual(new Map([['c0', 5]]));
    expect(shareSlots(8, wanting(-5), 0)).toEqual(new Map([['c0', 13]]));
  });
});

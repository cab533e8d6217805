import { Doorbell } from './doorbell';

const LONG_MS = 60_000;

/** Counts sleepers that woke, after everything that is ready has run. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function sleepers(bell: Doorbell, count: number): { woken: () => number } {
  let woken = 0;
  for (let i = 0; i < count; i++) void bell.wait(LONG_MS).then(() => (woken += 1));
  return { woken: () => woken };
}

describe('Doorbell', () => {
  it('wakes as many sleepers as it is rung for, the others sleep on', async () => {
    const bell = new Doorbell();
    const { woken } = sleepers(bell, 3);
    bell.ring(2);
    await settled();
    expect(woken()).toBe(2);
    bell.ring();
    await settled();
    expect(woken()).toBe(3);
  });

  it('tells a ring from a time that is over', async () => {
    const bell = new Doorbell();
    const woken = bell.wait(LONG_MS);
    bell.ring();
    expect(await woken).toBe(true);
    expect(await bell.wait(1)).toBe(false);
    bell.ring();
    expect(await bell.wait(1)).toBe(true);
  });

  it('keeps a ring for the next one that would go to sleep, once', async () => {
    const bell = new Doorbell();
    bell.ring();
    bell.ring();
    const { woken } = sleepers(bell, 2);
    await settled();
    expect(woken()).toBe(1);
    bell.ring();
  });

  it('keeps the rings for several workers when a ring for one comes after them', async () => {
    const bell = new Doorbell();
    bell.ring(4);
    bell.ring(1);
    const { woken } = sleepers(bell, 4);
    await settled();
    expect(woken()).toBe(4);
  });

  it('wakes one sleeper at a nudge, as if its time were over, and keeps none', async () => {
    const bell = new Doorbell();
    bell.nudge();
    const [one, other] = [bell.wait(LONG_MS), bell.wait(LONG_MS)];
    bell.nudge();
    expect(await one).toBe(false);
    bell.ring();
    expect(await other).toBe(true);
  });

  it('wakes by itself after the time, and a ring later is not lost on a sleeper that is gone', async () => {
    const bell = new Doorbell();
    await bell.wait(1);
    const { woken } = sleepers(bell, 1);
    bell.ring();
    await settled();
    expect(woken()).toBe(1);
  });
});

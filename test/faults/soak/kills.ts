import { setTimeout as wait } from 'node:timers/promises';
import { Crew } from '../random/crew';
import type { Rig } from '../rig/rig';
import type { World } from '../rig/world';
import { checkInto, countRecords, registerMany, type Part } from './soak-world';

const ACCOUNTS = 2_000;
const REPLICAS = 3;
const KILL_EVERY_MS = 2_000;
const WINDOW_MS = 10_000;
const DRAINED_WITHIN_MS = 60_000;

/** 26: a random replica dies by kill -9 every 2 s while balances flow. */
export async function kills(rig: Rig, { ms, seed }: { ms: number; seed: number }): Promise<Part> {
  const part: Part = { figures: {}, problems: [] };
  const world = await rig.world({ seed, env: { AMLYZE_BATCH_SIZE: '50', SYNC_CONCURRENCY: '8' } });
  try {
    const crew = new Crew(world);
    await crew.muster(REPLICAS);
    await registerMany(world, await crew.anyone(), ACCOUNTS);
    for (const peer of ['mypos', 'amlyze'] as const) await world[peer].addFault({ do: { kind: 'latency', ms: 50 } });
    const end = performance.now() + ms;
    const [dead, windows] = await Promise.all([
      killNowAndThen(world, crew, end),
      watchThroughput(world, end),
      readOnAndOn(world, crew, end),
    ]);
    await world.heal(DRAINED_WITHIN_MS);
    await crew.muster(REPLICAS);
    await world.settled(DRAINED_WITHIN_MS);
    const states = await world.states();
    const accepted = states['accepted'] ?? 0;
    if (Object.keys(states).some((state) => state !== 'accepted')) part.problems.push(JSON.stringify(states));
    if (windows.some((n) => n === 0)) part.problems.push(`accepted in each 10 s: ${windows.join(', ')}`);
    part.figures = {
      kills: dead,
      accepted,
      replayed: await countRecords(world, `reason = 'replayed'`),
      'fewest in 10 s': Math.min(...windows),
      'most in 10 s': Math.max(...windows),
    };
  } catch (error) {
    part.problems.push(error instanceof Error ? error.message : String(error));
  }
  return checkInto(part, world);
}

async function killNowAndThen(world: World, crew: Crew, end: number): Promise<number> {
  let kills = 0;
  while (performance.now() < end) {
    const next = performance.now() + KILL_EVERY_MS;
    await crew.replace(world.random.whole(0, REPLICAS - 1), 0, 'SIGKILL');
    kills += 1;
    await wait(Math.max(0, next - performance.now()));
  }
  return kills;
}

/** An operator who asks for all of it again as soon as it is done; where the replica dies in the call, another is asked. */
async function readOnAndOn(world: World, crew: Crew, end: number): Promise<void> {
  while (performance.now() < end) {
    try {
      await world.resync(await crew.anyone());
    } catch {
      // Died in the middle of the call: whether the run was opened shows in the database.
    }
    await wait(500);
  }
}

/** Accepted records in each full window of 10 s; the last, broken one is left out. */
async function watchThroughput(world: World, end: number): Promise<number[]> {
  const windows: number[] = [];
  let before = 0;
  while (performance.now() + WINDOW_MS <= end) {
    await wait(WINDOW_MS);
    const { accepted } = await world.amlyze.stats();
    windows.push(Number(accepted) - before);
    before = Number(accepted);
  }
  return windows;
}

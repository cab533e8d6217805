import { setTimeout as wait } from 'node:timers/promises';
import type { Rig } from '../rig/rig';
import type { World } from '../rig/world';
import { checkInto, countRecords, megabytes, memoryOf, registerMany, type Part } from './soak-world';

const FEW = 1_000;
const MOST = 100_000;
const RUNS = 4;
/** How much more memory a replica may have with MOST records pending than with FEW. */
const GROWTH_BYTES = 50 * 2 ** 20;
/** AMLYZE's own speed in the recovery: this many calls at a time, each for so long. */
const CAPACITY = { concurrent: 4, msPerCall: 40, msPerItem: 0.5 };
const BATCH = 500;
/** How much longer than AMLYZE's own time the recovery may take: the pause before it, and a machine that does all at once. */
const SLOWER = 4;
const PAUSE_MS = 35_000;

/** 18: AMLYZE is down while balances are read slot after slot, and comes back. */
export async function outage(rig: Rig, { ms, seed }: { ms: number; seed: number }): Promise<Part> {
  const part: Part = { figures: {}, problems: [] };
  const backlog = Math.min(MOST, Math.max(4_000, Math.round(ms / 3)));
  const world = await rig.world({ seed, env: { AMLYZE_BATCH_SIZE: String(BATCH), SYNC_CONCURRENCY: '64' } });
  try {
    const began = performance.now();
    const replicas = await world.startReplicas(2);
    const [a] = replicas;
    if (!a) throw new Error('no replica');
    await registerMany(world, a, backlog / RUNS);
    // One run as in good days: what the work itself takes in memory is taken then, the rest would be the backlog's.
    await readAll(world, () => world.resync(a));
    await world.settled(120_000);
    await world.wire.amlyze.refuse();
    const [few] = world.accounts.length > FEW ? [FEW] : [world.accounts.length];
    const sql = 'select id from account order by id limit $1';
    const accountIds = (await world.query<{ id: string }>(sql, [few])).map(({ id }) => id);
    await readAll(world, () => world.resync(a, { accountIds }));
    const before = await Promise.all(replicas.map((replica) => memoryOf(replica)));
    for (let run = 0; run < RUNS; run += 1) await readAll(world, () => world.resync(a));
    const pending = await countRecords(world, `state = 'pending'`);
    await wait(Math.max(0, ms / 2 - (performance.now() - began)));
    const grown = await Promise.all(replicas.map(async (replica, n) => (await memoryOf(replica)) - (before[n] ?? 0)));
    const downMs = performance.now() - began;

    await world.amlyze.call('POST', 'capacity', CAPACITY);
    await world.wire.amlyze.accept();
    const [back, backAt] = [performance.now(), Date.now()];
    const ownMs = (pending / BATCH / CAPACITY.concurrent) * (CAPACITY.msPerCall + CAPACITY.msPerItem * BATCH);
    await world.settled(PAUSE_MS + SLOWER * ownMs + 60_000);
    const drainMs = performance.now() - back;
    await world.heal(0);
    const [order] = await world.query<{ early: Date; late: Date }>(
      `with aged as (
         select settled_at, ntile(4) over (order by created_at, id) as quarter from record_with_state where settled_at > $1
       )
       select percentile_disc(0.95) within group (order by settled_at) filter (where quarter = 1) as early,
         percentile_disc(0.05) within group (order by settled_at) filter (where quarter = 4) as late from aged`,
      [new Date(backAt)],
    );
    if (!order || order.early > order.late) part.problems.push('the oldest did not go first');
    if (Math.max(...grown) > GROWTH_BYTES)
      part.problems.push(`memory grew by ${grown.map(megabytes).join(' and ')} MB`);
    if (drainMs > PAUSE_MS + SLOWER * ownMs) part.problems.push(`drained in ${drainMs} ms, AMLYZE needs ${ownMs} ms`);
    part.figures = {
      'down for s': Math.round(downMs / 1000),
      pending,
      'drained in s': Math.round(drainMs / 1000),
      "AMLYZE's own s": Math.round(ownMs / 1000),
      'records/s': Math.round((pending / drainMs) * 1000),
      'memory grew MB': grown.map(megabytes).join(' and '),
    };
  } catch (error) {
    part.problems.push(error instanceof Error ? error.message : String(error));
  }
  return checkInto(part, world);
}

/** Opens a run and waits until every account of it has an outcome. */
async function readAll(world: World, open: () => Promise<string>): Promise<void> {
  const runId = await open();
  for (;;) {
    const [row] = await world.query<{ finished: boolean }>(
      'select finished_at is not null as finished from sync_run where id = $1',
      [runId],
    );
    if (row?.finished) return;
    await wait(100);
  }
}

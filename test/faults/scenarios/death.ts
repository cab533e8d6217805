import assert from 'node:assert/strict';
import type { World } from '../rig/world';
import { bankInStep } from './looks';
import type { Scene } from './scenario';

/** A lease, a poll, the take-back and the send again on a busy machine. */
const LEASE_MS = 2_000;
export const TAKE_OVER_MS = LEASE_MS + 15_000;

/**
 * The first replica reads and dies at the fail point of its first batch; the others, which must not come before it, wait
 * stopped until then. Ends when the first one is gone.
 */
export async function dieAt(scene: Scene, failPoint: string): Promise<void> {
  const { world, accounts, size } = scene;
  const [doomed, others] = await Promise.all([
    world.startReplica({ FAIL_POINTS: failPoint }),
    world.startReplicas(size === 'full' ? 2 : 1),
  ]);
  await world.register(doomed, 'mypos', accounts);
  await bankInStep(world);
  for (const other of others) other.pause();
  await world.resync(doomed);
  assert.equal(await doomed.process.exited, 'SIGKILL', `the replica dies at ${failPoint}`);
  world.history.add({ kind: 'action', what: `replica ${doomed.index} died at ${failPoint}` });
  for (const other of others) other.resume();
  await world.heal(TAKE_OVER_MS);
}

/** When the replica died, as the history has it. */
export function deathOf(world: World): string {
  const line = world.history.lines.find((each) => each.kind === 'action' && each.what.includes('died at'));
  assert(line);
  return line.at;
}

/** Milliseconds from the death to the take-back of what the dead replica held. */
export async function takeBackMs(world: World): Promise<number> {
  const [row] = await world.query<{ at: Date | null }>(
    `select min(settled_at) as at from delivery_result where reason = 'lease-expired'`,
  );
  assert(row?.at, 'records of the dead replica were taken back');
  return row.at.getTime() - Date.parse(deathOf(world));
}

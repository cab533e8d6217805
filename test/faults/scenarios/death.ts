import assert from 'node:assert/strict';
import { GatewayReplica } from '../rig/replica';
import type { World } from '../rig/world';
import { eventually } from '../../support/eventually';
import { count } from './looks';
import type { Scene } from './scenario';

/** A lease, a poll, the take-back and the send again on a busy machine. */
const LEASE_MS = 2_000;
export const TAKE_OVER_MS = LEASE_MS + 15_000;

/**
 * AMLYZE is not reachable while everything is read, so that the first batch is a full one. Then it is, and the first replica
 * that sends dies at the fail point; the other, which must not come before it, stands still until then. What dies is a probe:
 * its death must not keep the endpoint shut for longer than its lease.
 */
export async function dieAt(scene: Scene, failPoint: string): Promise<void> {
  const { world, accounts } = scene;
  const other = await world.startReplica();
  await world.register(other, 'mypos', accounts);
  await world.wire.amlyze.refuse();
  await world.resync(other);
  await eventually('all is read', async () => (await count(world, 'amlyze_record')) === accounts, 60_000);
  await eventually(
    'it has tried, and waits',
    async () =>
      (await count(
        world,
        `amlyze_endpoint where endpoint = 'balances' and paused_until > now() + interval '0.5 s'`,
      )) === 1 && (await count(world, `record_with_state where state = 'sending'`)) === 0,
  );
  other.pause();
  await world.wire.amlyze.accept();
  const parts = world.replicaParts({ FAIL_POINTS: failPoint });
  // Its first poll sends, so it may be gone before it listens.
  const doomed = GatewayReplica.spawn(parts);
  const survived = setTimeout(() => doomed.signal('SIGTERM'), 60_000);
  assert.equal(await doomed.exited, 'SIGKILL', `the replica dies at ${failPoint}; it said ${doomed.lastWords()}`);
  clearTimeout(survived);
  world.history.add({ kind: 'action', what: `replica ${parts.index} died at ${failPoint}` });
  other.resume();
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

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isAlive } from '../../../src/database/embedded/postmaster';
import { PostgresServer } from '../rig/postgres-server';
import type { Random } from '../rig/random';
import { loadAccount } from '../rig/workload';
import type { World } from '../rig/world';
import { amlyzeCalls, assertAllAccepted, count, replayed, until } from './looks';
import { Pulse } from './pulse';
import type { OwnServer, Scenario } from './scenario';

const SIZE_MB = 300;
const FULL_MS = 5_000;
const NAME_LENGTH = 8_000;
const BALLAST = 'ballast';

function mount(...args: string[]): string | undefined {
  const { status, stderr, error } = spawnSync('mount', args, { encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}

/** Why no file system can be mounted here. */
async function whyNoTmpfs(): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'faults-tmpfs-'));
  try {
    const problem = mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder);
    if (problem !== undefined) return `no tmpfs can be mounted here: ${problem}`;
    spawnSync('umount', [folder]);
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Takes what is left of the disk. */
function fill(folder: string): void {
  const file = join(folder, BALLAST);
  writeFileSync(file, '');
  for (const bytes of [2 ** 20, 2 ** 12]) {
    try {
      for (;;) appendFileSync(file, Buffer.alloc(bytes, 1));
    } catch {
      // Full to within this size.
    }
  }
}

/** Text that does not shrink. */
function noise(random: Random): string {
  return Array.from({ length: NAME_LENGTH }, () => random.whole(0, 35).toString(36)).join('');
}

const refusals = (world: World): number =>
  world.replicas.reduce(
    (sum, replica) => sum + (replica.log().match(/No space left|53100|disk_full/g)?.length ?? 0),
    0,
  );

export const diskFull: Scenario = {
  id: 21,
  title: "Postgres' disk is full in the middle of a run",
  injected: `a tmpfs of ${SIZE_MB} MB, filled to the last page for ${FULL_MS / 1000} s, then made larger`,
  expected:
    'nobody ends, readiness is 503, nothing is sent without a committed attempt, it waits and goes on; all is accepted once',
  accounts: { full: 300, reduced: 100 },
  world: { env: { AMLYZE_BATCH_SIZE: '10', SYNC_CONCURRENCY: '4' } },
  impossible: whyNoTmpfs,

  async server(rig): Promise<OwnServer> {
    const folder = join(rig.folder, 'small-disk');
    mkdirSync(folder, { recursive: true, mode: 0o711 });
    const problem = mount('-t', 'tmpfs', '-o', `size=${SIZE_MB}m,mode=0711`, 'tmpfs', folder);
    if (problem !== undefined) throw new Error(problem);
    chmodSync(folder, 0o711);
    const postgres = await PostgresServer.start(join(folder, 'data'), rig.guardian);
    const end = async (): Promise<void> => {
      await postgres.stop('SIGQUIT').catch(() => undefined);
      spawnSync('umount', ['-l', folder]);
    };
    return { postgres, end };
  },

  async inject({ world, accounts }) {
    const [a, b] = await world.startReplicas(2);
    assert(a && b);
    // Answers that Postgres cannot fit into the pages that it has taken already.
    const loads = Array.from({ length: accounts }, (_, n) => loadAccount('mypos', n + 1, world.random));
    const bulky = loads.map((load) => ({ ...load, simulated: { ...load.simulated, name: noise(world.random) } }));
    await world.registerAccounts(a, 'mypos', bulky);
    for (const peer of ['mypos', 'amlyze'] as const) await world[peer].addFault({ do: { kind: 'latency', ms: 150 } });
    const pulse = new Pulse([a, b]);
    await world.resync(a);
    await until(world, 'delivery has begun', () => amlyzeCalls(world).length >= 3);
    const disk = join(world.postgres.dataDir, '..', '..');
    world.history.add({ kind: 'action', what: 'the disk is full' });
    fill(disk);
    await wait(FULL_MS);
    const problem = mount('-o', `remount,size=${SIZE_MB * 2}m`, disk);
    assert.equal(problem, undefined);
    // A Postgres that cannot write its log ends; on a machine it would be started again by its supervisor.
    if (!isAlive(world.postgres.pid)) await world.postgres.startAgain();
    await world.heal(30_000);
    await Promise.all([a.ready(20_000), b.ready(20_000)]);
    const seen = await pulse.end();
    assert.deepEqual(seen.live, [200], `live answered ${seen.live.join(', ')}`);
    assert.deepEqual(seen.ready, [200, 503], `readiness answered ${seen.ready.join(', ')}`);
  },

  async expect({ world, accounts }) {
    assert(
      world.replicas.every(({ alive }) => alive),
      'every replica lives',
    );
    await assertAllAccepted(world, accounts);
    const refused = refusals(world);
    assert(refused > 0, 'writes were refused for want of space');
    return {
      records: accounts,
      'refused writes logged': refused,
      'taken back': await count(world, `delivery_result where reason = 'lease-expired'`),
      replayed: await replayed(world),
    };
  },
};

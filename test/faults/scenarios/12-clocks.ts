import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertAllAccepted, count, until } from './looks';
import type { Scenario } from './scenario';

/** Where packages of libfaketime put it; FAULTS_LIBFAKETIME names another place. */
const ROOTS = ['/usr/lib', '/usr/local/lib', '/usr/lib64'];
const LIBRARY = 'libfaketime.so.1';

function libfaketime(): string | undefined {
  const named = process.env['FAULTS_LIBFAKETIME'];
  if (named !== undefined) return existsSync(named) ? named : undefined;
  const folders = ROOTS.filter((root) => existsSync(root)).flatMap((root) => [
    root,
    ...readdirSync(root).map((name) => join(root, name)),
  ]);
  return folders
    .flatMap((folder) => [join(folder, LIBRARY), join(folder, 'faketime', LIBRARY)])
    .find((file) => existsSync(file));
}

/** Wall clock alone: timers, leases and time-outs go by the monotonic one, as when an operator sets the clock. */
function clockFrom(file: string): Record<string, string> {
  return {
    LD_PRELOAD: libfaketime() ?? '',
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    // Compiled code that is newer than the clock is of no use.
    NODE_COMPILE_CACHE: '',
  };
}

export const clocks: Scenario = {
  id: 12,
  title: 'the clocks of two replicas are wrong by ten minutes, and one jumps in the middle of a run',
  injected:
    '+10 min and -10 min by libfaketime, one of them to +200 days while reads are under way; the third is right',
  expected:
    'slots, leases and due times go by the database; one token for all; nothing is taken over, all is accepted once',
  accounts: { full: 90, reduced: 30 },
  world: { env: { AMLYZE_BATCH_SIZE: '10', SYNC_CONCURRENCY: '4' } },
  impossible: async () =>
    libfaketime() === undefined ? `${LIBRARY} is not on this machine (package libfaketime)` : undefined,

  async inject({ world, accounts }) {
    const files = ['ahead', 'behind'].map((name) => join(world.folder, `clock-${name}`));
    const [ahead = '', behind = ''] = files;
    writeFileSync(ahead, '+10m');
    writeFileSync(behind, '-10m');
    const [a] = await Promise.all([
      world.startReplica(),
      world.startReplica(clockFrom(ahead)),
      world.startReplica(clockFrom(behind)),
    ]);
    assert(a);
    await world.register(a, 'mypos', accounts / 2);
    await world.register(a, 'onesingleview', accounts / 2);
    for (const peer of ['mypos', 'onesingleview'] as const)
      await world[peer].addFault({ do: { kind: 'latency', ms: 200 } });
    await world.resync(a);
    await until(world, 'reads are under way', ({ lines }) => lines.some(({ kind }) => kind === 'return'));
    writeFileSync(ahead, '+200d');
    world.history.add({ kind: 'action', what: 'a clock jumps to +200 days' });
    await world.settled();
    await world.heal(20_000);
  },

  async expect({ world, accounts }) {
    // Its stamp is 200 days off: the bank may refuse what it sends since the jump, which has to be an outcome and no silence.
    const refused = await count(world, `balance_reading where final and outcome <> 'READ'`);
    const taken = await count(world, `delivery_result where reason = 'lease-expired'`);
    assert.equal(taken, 0, 'nobody loses a lease by a clock');
    if (refused === 0) await assertAllAccepted(world, accounts);
    else assert.deepEqual(await world.states(), { accepted: accounts - refused });
    const tokens = (await world.onesingleview.accessLog({ path: '/token' })).length;
    const off = await count(
      world,
      `balance_reading where abs(extract(epoch from fetched_at - (select started_at from sync_run limit 1))) > 120`,
    );
    assert.equal(off, 0, 'times of readings are the database clock, give or take');
    return { records: accounts - refused, 'refused for their stamp': refused, tokens };
  },
};

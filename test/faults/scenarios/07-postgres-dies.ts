import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually';
import { killSession } from '../rig/kill-session';
import { assertAllAccepted, amlyzeCalls, count, replayed, until } from './looks';
import { Pulse } from './pulse';
import type { Scenario } from './scenario';

/** How long Postgres stays away at its second death. */
const AWAY_MS = 1_500;

export const postgresDies: Scenario = {
  id: 7,
  title: 'Postgres dies in the middle of a run, twice',
  injected: `kill -9 of a session (crash recovery), then an immediate shutdown and a restart ${AWAY_MS} ms later, 2 replicas at work`,
  expected: 'no process ends, readiness is 503 and then 200 again, live stays 200, everything drains by itself',
  accounts: { full: 160, reduced: 60 },
  world: { env: { AMLYZE_BATCH_SIZE: '10', SYNC_CONCURRENCY: '4' } },

  async inject({ world, accounts }) {
    const [a, b] = await world.startReplicas(2);
    assert(a && b);
    await world.register(a, 'mypos', accounts / 2);
    await world.register(a, 'onesingleview', accounts / 2);
    for (const peer of ['mypos', 'onesingleview', 'amlyze'] as const)
      await world[peer].addFault({ do: { kind: 'latency', ms: 150 } });
    const pulse = new Pulse([a, b]);
    await world.resync(a);
    await until(world, 'delivery has begun', () => amlyzeCalls(world).length >= 2);
    world.history.add({ kind: 'action', what: 'kill -9 of a session of Postgres' });
    await killSession(world);
    // Waits of a second and more after lost answers are over, and there is something left to interrupt.
    const before = amlyzeCalls(world).length;
    await until(world, 'delivery goes on', () => amlyzeCalls(world).length >= before + 2);
    world.history.add({ kind: 'action', what: 'Postgres stopped by SIGQUIT' });
    await world.postgres.stop('SIGQUIT');
    await eventually(
      'nobody is ready',
      async () => (await a.health('ready')) === 503 && (await b.health('ready')) === 503,
    );
    await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
    await world.postgres.startAgain();
    await world.heal(25_000);
    await Promise.all([a.ready(10_000), b.ready(10_000)]);
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
    return {
      records: accounts,
      replayed: await replayed(world),
      'taken back': await count(world, `delivery_result where reason = 'lease-expired'`),
      'bank calls': (await world.mypos.accessLog()).length + (await world.onesingleview.accessLog()).length,
    };
  },
};

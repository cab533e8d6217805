import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { amlyzeCalls, assertAllAccepted, count, replayed, until } from './looks';
import { Pulse } from './pulse';
import type { Scenario } from './scenario';

/** Longer than the gateway's longest wait for the database (query time-out, 18 s). */
const HANGS_MS = 22_000;
/** Sessions that a replica may hold: its pool, and the one that hears the others. */
const SESSIONS = 16 + 1;

export const postgresHangs: Scenario = {
  id: 8,
  title: 'Postgres hangs',
  injected: `SIGSTOP of all its processes for ${HANGS_MS / 1000} s in the middle of a run`,
  expected:
    'time-outs fire, live stays 200 and readiness says 503, no session too many afterwards, nothing is sent twice unseen',
  accounts: { full: 160, reduced: 60 },
  world: { env: { AMLYZE_BATCH_SIZE: '10', SYNC_CONCURRENCY: '4' } },

  async inject({ world, accounts }) {
    const [a, b] = await world.startReplicas(2);
    assert(a && b);
    await world.register(a, 'mypos', accounts);
    for (const peer of ['mypos', 'amlyze'] as const) await world[peer].addFault({ do: { kind: 'latency', ms: 150 } });
    await world.resync(a);
    await until(world, 'delivery has begun', () => amlyzeCalls(world).length >= 3);
    world.history.add({ kind: 'action', what: 'Postgres stopped (SIGSTOP)' });
    world.postgres.pause();
    const pulse = new Pulse([a, b]);
    await wait(HANGS_MS);
    const seen = await pulse.end();
    const calls = amlyzeCalls(world).length;
    world.postgres.resume();
    await world.heal(25_000);
    await Promise.all([a.ready(15_000), b.ready(15_000)]);
    assert.deepEqual(seen.live, [200], `live answered ${seen.live.join(', ')}`);
    assert(seen.ready.includes(503), `readiness answered ${seen.ready.join(', ')}`);
    world.history.add({ kind: 'action', what: `${calls} calls to AMLYZE before the end of the hang` });
  },

  async expect({ world, accounts }) {
    await assertAllAccepted(world, accounts);
    const timedOut = world.replicas.map((replica) => replica.log().match(/time-?out|timed out/gi)?.length ?? 0);
    assert(
      timedOut.every((n) => n > 0),
      'every replica logs a time-out of its database',
    );
    const sessions = await count(
      world,
      `pg_stat_activity where datname = current_database() and application_name <> ''`,
    );
    assert(sessions <= 2 * SESSIONS, `${sessions} sessions after the hang`);
    return {
      records: accounts,
      'time-outs logged': timedOut.reduce((sum, n) => sum + n, 0),
      sessions,
      replayed: await replayed(world),
    };
  },
};

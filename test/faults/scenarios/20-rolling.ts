import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Build } from '../rig/build';
import { GatewayReplica } from '../rig/replica';
import type { World } from '../rig/world';
import { amlyzeCalls, count, replayed, until } from './looks';
import type { Scenario } from './scenario';

/** The process ends itself after 10 s; the rest is the machine's. */
const GRACE_MS = 12_000;

/** A column that the old build does not know, and a table that a second run of the migration could not make. */
const MIGRATION = `-- migrate:up
alter table amlyze_record add column of_the_next_version text;
create table only_once (at timestamptz not null default now());
insert into only_once default values;
select pg_sleep(1);
-- migrate:down
drop table only_once;
alter table amlyze_record drop column of_the_next_version;
`;

/** The build of the next version: the same program with one migration more. */
function nextBuild(build: Build): Build {
  const folder = join(dirname(build.dist), 'next-version');
  if (!existsSync(folder)) {
    mkdirSync(join(folder, 'migrations'), { recursive: true });
    for (const name of ['dist', 'migrations', 'package.json'])
      cpSync(join(dirname(build.dist), name), join(folder, name), { recursive: true });
    writeFileSync(join(folder, 'migrations', '9999999999999-next-version.sql'), MIGRATION);
  }
  return { dist: join(folder, 'dist'), codeCache: join(folder, 'code-cache') };
}

async function startNext(world: World): Promise<GatewayReplica> {
  const parts = world.replicaParts();
  const replica = await GatewayReplica.start({ ...parts, build: nextBuild(parts.build) });
  world.replicas.push(replica);
  return replica;
}

export const rolling: Scenario = {
  id: 20,
  title: 'a rolling upgrade under load',
  injected:
    'two replicas of the next version start beside two of the old one and migrate, then SIGTERM to the old ones in mid-batch',
  expected:
    'the migration runs once, the old build goes on with the new column, ends in time, gives back what it holds',
  accounts: { full: 240, reduced: 80 },
  world: { env: { AMLYZE_BATCH_SIZE: '10', SYNC_CONCURRENCY: '4' }, limits: { replicas: 4 } },

  async inject({ world, accounts }) {
    const [a, b] = await world.startReplicas(2);
    assert(a && b);
    await world.register(a, 'mypos', accounts / 2);
    await world.register(a, 'onesingleview', accounts / 2);
    for (const peer of ['mypos', 'onesingleview', 'amlyze'] as const)
      await world[peer].addFault({ do: { kind: 'latency', ms: 150 } });
    await world.resync(a, { connectionId: world.registered.mypos?.connectionId });
    await until(world, 'the old build is at work', () => amlyzeCalls(world).length >= 2);
    await Promise.all([startNext(world), startNext(world)]);
    assert.equal(await count(world, 'only_once'), 1, 'the migration ran once');
    // Slow enough that the signal comes while a batch is with AMLYZE.
    await world.amlyze.addFault({ do: { kind: 'latency', ms: 1_500 } });
    await world.resync(b, { connectionId: world.registered.onesingleview?.connectionId });
    const migrated = amlyzeCalls(world).length;
    await until(world, 'everybody is at work', () => amlyzeCalls(world).length >= migrated + 6);
    const ends = await Promise.all([a.terminate(), b.terminate()]);
    for (const { how, afterMs } of ends) {
      // After it has closed everything it lets the signal end it, so that its supervisor sees why.
      assert.equal(how, 'SIGTERM', `a replica ended by ${how}`);
      assert(afterMs <= GRACE_MS, `a replica took ${afterMs} ms to end`);
    }
    world.history.add({
      kind: 'action',
      what: `the old replicas ended after ${ends.map(({ afterMs }) => afterMs).join(' and ')} ms`,
    });
    await world.heal(25_000);
  },

  async expect({ world, accounts }) {
    assert.deepEqual(await world.states(), { accepted: accounts });
    const byOld = await count(world, `delivery_attempt where started_at > (select at from only_once)`);
    return {
      records: accounts,
      'attempts after the migration': byOld,
      'given back': await count(world, `delivery_result where reason = 'gateway-stopped'`),
      replayed: await replayed(world),
    };
  },
};

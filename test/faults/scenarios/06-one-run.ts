import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually';
import { count } from './looks';
import type { Scenario } from './scenario';

const RESYNCS = 10;
const SLOTS = 5;
/** What PSD2 allows, and a consent has unless it says otherwise. */
const READS_A_DAY = 4;

export const oneRun: Scenario = {
  id: 6,
  title: 'three replicas tick in the same second, and an operator calls ten times',
  injected: `a slot every second at 3 replicas, ${RESYNCS} resyncs of one connection at the same moment, a bank of 1 s`,
  expected: `one run a slot; one run for the ${RESYNCS} calls; each account once in a run, ${READS_A_DAY} calls to its bank at most`,
  accounts: { full: 30, reduced: 10 },
  world: { env: { SYNC_CRON: '* * * * * *' } },

  async inject({ world, accounts }) {
    const replicas = await world.startReplicas(3);
    const [a] = replicas;
    assert(a);
    await world.mypos.addFault({ do: { kind: 'latency', ms: 1_000 } });
    await world.register(a, 'mypos', accounts);
    const connectionId = world.registered.mypos?.connectionId;
    const calls = Array.from({ length: RESYNCS }, (_, n) => replicas[n % 3] ?? a);
    await Promise.all(calls.map((replica) => world.resync(replica, { connectionId })));
    await eventually(
      `${SLOTS} slots are served`,
      async () => (await count(world, `sync_run where trigger = 'schedule' and finished_at is not null`)) >= SLOTS,
      60_000,
    );
    // A slot every second would never come to an end.
    await Promise.all(replicas.map((replica) => replica.terminate()));
    await world.startReplica({ SYNC_CRON: '0 0 29 2 *' });
    await world.heal(20_000);
  },

  async expect({ world, accounts }) {
    const ids = world.history.lines.flatMap((line) => (line.kind === 'admin-return' && line.runId ? [line.runId] : []));
    assert.equal(ids.length, RESYNCS);
    assert.equal(new Set(ids).size, 1, 'every resync was answered with the same run');
    const reads = (await world.mypos.accessLog()).filter(({ path }) => path.endsWith('/balances'));
    const mostOfOne = Math.max(
      ...world.accounts.map((each) => reads.filter(({ account }) => account === each.providerAccountId).length),
    );
    assert(mostOfOne <= READS_A_DAY, `an account was read ${mostOfOne} times`);
    const repeated = await count(
      world,
      `(select 1 from balance_reading where request_id is not null group by run_id, account_id having count(*) > 1) x`,
    );
    assert.equal(repeated, 0, 'no account was read twice for one run');
    return {
      accounts,
      slots: await count(world, `sync_run where trigger = 'schedule'`),
      'bank calls': reads.length,
      records: await count(world, 'amlyze_record'),
    };
  },
};

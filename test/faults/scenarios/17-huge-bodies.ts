import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { GatewayReplica } from '../rig/replica';
import { assertAllAccepted, count, replayed } from './looks';
import type { Scenario } from './scenario';

const GIANTS = 3;
/** What one body may add to a replica's memory: the limit of 5 MiB, a few at a time, and what the collector leaves lying. */
const GROWTH_BYTES = 120 * 2 ** 20;
const QUICK_MS = 5_000;

/** The most memory that the process ever had. */
function peakBytes(replica: GatewayReplica): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${replica.process.pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

export const hugeBodies: Scenario = {
  id: 17,
  title: 'bodies of 1 GiB and gzip bombs, from a bank and from AMLYZE',
  injected: `${GIANTS} huge chunked, ${GIANTS} huge announced and ${GIANTS} packed answers of a bank, one of each of AMLYZE`,
  expected: 'given up at the limit at once, memory hardly grows; INVALID_PAYLOAD at the bank, sent again at AMLYZE',
  accounts: { full: 60, reduced: 20 },
  world: { env: { AMLYZE_BATCH_SIZE: '10' } },

  async inject({ world, accounts }) {
    const a = await world.startReplica();
    await world.register(a, 'onesingleview', accounts);
    // A first run without giants shows what memory the work itself takes.
    await world.resync(a);
    await world.settled();
    const before = peakBytes(a);
    const giants = await world.register(a, 'mypos', 3 * GIANTS);
    const names = giants.map(({ providerAccountId }) => providerAccountId);
    const part = (n: number): string[] => names.slice(n * GIANTS, (n + 1) * GIANTS);
    await world.mypos.addFault(
      { match: { account: part(0) }, do: { kind: 'huge' } },
      { match: { account: part(1) }, do: { kind: 'huge', announced: true } },
      { match: { account: part(2) }, do: { kind: 'gzip-bomb' } },
    );
    await world.resync(a, { connectionId: world.registered.mypos?.connectionId });
    await world.settled();
    await world.mypos.clearFaults();
    await world.amlyze.addFault(
      { match: { times: 1 }, do: { kind: 'huge' } },
      { match: { after: 1, times: 1 }, do: { kind: 'gzip-bomb' } },
    );
    await world.resync(a, { connectionId: world.registered.mypos?.connectionId });
    await world.settled();
    const grown = peakBytes(a) - before;
    world.history.add({ kind: 'action', what: `grown by ${grown} bytes` });
    assert(grown < GROWTH_BYTES, `memory grew by ${Math.round(grown / 2 ** 20)} MB`);
    await world.heal(20_000);
  },

  async expect({ world, accounts }) {
    const [giants] = await world.query<{ n: number; longest: number }>(
      `select count(*)::int as n, max(latency_ms) as longest from balance_reading where outcome = 'INVALID_PAYLOAD'`,
    );
    assert.equal(giants?.n, 3 * GIANTS);
    assert(giants.longest < QUICK_MS, `a huge body took ${giants.longest} ms`);
    await assertAllAccepted(world, accounts + 3 * GIANTS);
    assert.equal(await count(world, `delivery_attempt where outcome = 'failed'`), 2);
    const grown = world.history.lines.find((line) => line.kind === 'action' && line.what.startsWith('grown by'));
    const bytes = grown?.kind === 'action' ? Number(/\d+/.exec(grown.what)?.[0]) : 0;
    return {
      giants: 3 * GIANTS + 2,
      'longest ms': giants.longest,
      'grown MB': Math.round(bytes / 2 ** 20),
      replayed: await replayed(world),
    };
  },
};

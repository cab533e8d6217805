import assert from 'node:assert/strict';
import { count } from './looks';
import type { Scenario } from './scenario';

const DEADLINE_MS = 1_200;
/** What a busy machine may add to a deadline. */
const LATE_MS = 800;
/** Of the bank that is well, while the other one drips. */
const P95_MS = 5_000;

export const slowDrip: Scenario = {
  id: 10,
  title: 'a bank sends its headers in time and then one byte every 300 ms',
  injected: `every answer of one bank, whose calls have ${DEADLINE_MS} ms; the other bank is well`,
  expected: 'each call ends at its total deadline as BANK_UNAVAILABLE, the other bank is not delayed',
  accounts: { full: 80, reduced: 20 },
  // Fewer places than slow accounts, so that the healthy bank would starve if they were not shared.
  world: { env: { SYNC_CONCURRENCY: '8' } },

  async inject({ world, accounts }) {
    const a = await world.startReplica();
    // With two reads a day no call is repeated: the last one of the window is never used for that.
    await world.register(a, 'mypos', accounts / 2, {
      settings: { timeoutMs: DEADLINE_MS, breakerFailures: 1_000 },
      consent: { frequencyPerDay: 2 },
    });
    await world.register(a, 'onesingleview', accounts / 2);
    await world.mypos.addFault({ do: { kind: 'drip', intervalMs: 300 } });
    const from = new Date().toISOString();
    await world.resync(a);
    await world.settled();
    const connectionId = world.registered.onesingleview?.connectionId ?? '';
    world.history.add({ kind: 'bound', connectionId, p95Ms: P95_MS, from, to: new Date().toISOString() });
    await world.heal(20_000);
  },

  async expect({ world, accounts }) {
    assert.deepEqual(await world.states(), { accepted: accounts / 2 });
    const [calls] = await world.query<{ n: number; shortest: number; longest: number }>(
      `select count(*)::int as n, min(latency_ms) as shortest, max(latency_ms) as longest
       from balance_reading where outcome = 'BANK_UNAVAILABLE' and request_id is not null`,
    );
    assert(calls);
    assert.equal(calls.n, accounts / 2);
    assert(calls.shortest >= DEADLINE_MS - 50 && calls.longest <= DEADLINE_MS + LATE_MS, JSON.stringify(calls));
    assert.equal(await count(world, `balance_reading where outcome = 'READ'`), accounts / 2);
    return { 'slow calls': calls.n, 'longest ms': calls.longest, 'deadline ms': DEADLINE_MS };
  },
};

import assert from 'node:assert/strict';
import { amlyzeCalls, assertAllAccepted, bankInStep, replayed, until } from './looks';
import type { Scenario } from './scenario';

const BATCH = 20;
const COMMITTED = 7;

/** The same harm once with an answer 500 and once with a dropped connection, each to a batch of its own. */
export const halfCommitted: Scenario = {
  id: 2,
  title: 'AMLYZE commits a part of the batch, then answers 500 or drops the connection',
  injected: `${COMMITTED} of a batch committed, then 500; the same of another batch, then the connection closed`,
  expected: 'those committed are accepted by replay, the others for the first time; none is lost',
  accounts: { full: 200, reduced: 60 },
  world: { env: { AMLYZE_BATCH_SIZE: String(BATCH) } },

  async inject({ world, accounts }) {
    const [a] = await world.startReplicas(2);
    assert(a);
    await world.register(a, 'mypos', accounts);
    await bankInStep(world);
    await world.amlyze.addFault(
      { match: { times: 1 }, do: { kind: 'commit-part', count: COMMITTED } },
      { match: { after: 1, times: 1 }, do: { kind: 'commit-part', count: COMMITTED, drop: true } },
    );
    await world.resync(a);
    await until(world, 'both batches are broken', ({ lines }) => {
      const bad = lines.filter((line) => line.kind === 'return' && (line.status === 500 || line.status === 0));
      return bad.length >= 2;
    });
    await world.heal(20_000);
  },

  async expect({ world, accounts }) {
    await assertAllAccepted(world, accounts);
    // Batches may have been smaller than what the fault commits of them, so the ledger says how many were committed.
    const broken = new Set(
      world.history.lines.flatMap((line) =>
        line.kind === 'return' && (line.status === 500 || line.status === 0) ? [line.call] : [],
      ),
    );
    const inBroken = amlyzeCalls(world)
      .filter(({ call }) => broken.has(call))
      .flatMap(({ items = [] }) => items.slice(0, COMMITTED));
    const again = await replayed(world);
    assert.equal(
      again,
      new Set(inBroken.map(({ number }) => number)).size,
      'the committed part, and no other, is replayed',
    );
    return { records: accounts, replayed: again, 'first time': accounts - again };
  },
};

import assert from 'node:assert/strict';
import { amlyzeCalls, assertAllAccepted, count, isReset, replayed, until } from './looks';
import type { Scenario } from './scenario';

/** How many answers are lost. */
const LOST = 2;

export const lostAnswer: Scenario = {
  id: 1,
  title: 'AMLYZE commits the batch, the connection drops before the answer',
  injected: `reset_peer at the first byte of ${LOST} answers of AMLYZE`,
  expected: 'the same numbers and bytes again, accepted as replayed; each once in the ledger; every attempt logged',
  accounts: { full: 200, reduced: 40 },
  world: { env: { AMLYZE_BATCH_SIZE: '20' } },

  async inject({ world, accounts, size }) {
    const [a] = await world.startReplicas(size === 'full' ? 2 : 1);
    assert(a);
    await world.register(a, 'mypos', accounts / 2);
    await world.register(a, 'onesingleview', accounts / 2);
    world.wire.amlyze.set({ kind: 'reset_peer', times: LOST });
    await world.resync(a);
    await until(world, 'the answers are lost', ({ lines }) => lines.filter(isReset).length >= LOST);
    await world.heal(20_000);
  },

  async expect({ world, accounts }) {
    await assertAllAccepted(world, accounts);
    const calls = new Map(amlyzeCalls(world).map((call) => [call.call, call]));
    const lost = world.history.lines.flatMap((line) => (isReset(line) ? (calls.get(line.call)?.items ?? []) : []));
    assert(lost.length > 0, 'an answer was lost');
    const numbers = [...new Set(lost.map(({ number }) => number))];
    const again = await count(
      world,
      `record_with_state where communication_number = any($1) and reason = 'replayed'
       and (select count(*) from delivery_result d where d.record_id = record_with_state.id) >= 2`,
      [numbers],
    );
    assert.equal(again, numbers.length, 'what was lost is replayed and has two log rows');
    return { records: accounts, replayed: await replayed(world), calls: calls.size };
  },
};

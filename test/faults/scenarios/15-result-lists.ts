import assert from 'node:assert/strict';
import type { FaultRule } from '../../../src/simulators/faults';
import type { Random } from '../rig/random';
import { amlyzeCalls, assertAllAccepted, count, replayed } from './looks';
import type { Scenario } from './scenario';

/** Every way in which a right answer's list of results can be wrong. */
const MUTATIONS: readonly ((random: Random) => FaultRule['do'])[] = [
  (random) => ({ kind: 'shuffle-results', seed: random.whole(1, 1_000_000) }),
  (random) => ({ kind: 'omit-results', count: random.whole(1, 5) }),
  (random) => ({ kind: 'double-results', count: random.whole(1, 5) }),
  (random) => ({ kind: 'conflicting-results', count: random.whole(1, 3) }),
  (random) => ({ kind: 'mislabelled-results', count: random.whole(1, 3) }),
  () => ({ kind: 'mislabelled-results', count: 2, accountExtId: '' }),
  () => ({ kind: 'stranger-result' }),
  () => ({ kind: 'null-result' }),
];

/** Each mutation meets this many calls. */
const TIMES = 3;

export const resultLists: Scenario = {
  id: 15,
  title: 'lists of results reordered, short, doubled, contradicting, mislabelled, with strangers and nulls',
  injected: `each of ${MUTATIONS.length} mutations in ${TIMES} answers of AMLYZE, drawn from the seed`,
  expected: 'matched by number and account; what is missing or contradicts is sent again; strangers touch nothing',
  accounts: { full: 300, reduced: 60 },
  world: { env: { AMLYZE_BATCH_SIZE: '15' } },

  async inject({ world, accounts, size }) {
    const [a] = await world.startReplicas(size === 'full' ? 2 : 1);
    assert(a);
    await world.register(a, 'mypos', accounts / 2);
    await world.register(a, 'onesingleview', accounts / 2);
    const rules = MUTATIONS.map((mutate, n): FaultRule => {
      // Not all in the same answers: some begin later.
      const after = world.random.whole(0, 2);
      return { match: { times: TIMES, ...(n % 2 === 0 ? {} : { after }) }, do: mutate(world.random) };
    });
    await world.amlyze.addFault(...rules);
    await world.resync(a);
    await world.settled();
    await world.heal(0);
  },

  async expect({ world, accounts }) {
    await assertAllAccepted(world, accounts);
    assert.equal(await count(world, `delivery_result where verdict = 'rejected'`), 0, 'no verdict of another is taken');
    const doubted = await count(world, `delivery_result where verdict = 'in-doubt'`);
    assert(doubted > 0, 'something was in doubt');
    const strangers = world.replicas
      .map((replica) => replica.log())
      .join('')
      .includes('AMLYZE answered for numbers that were not sent');
    assert(strangers, 'strangers are logged');
    return {
      records: accounts,
      calls: amlyzeCalls(world).length,
      'in doubt': doubted,
      replayed: await replayed(world),
    };
  },
};

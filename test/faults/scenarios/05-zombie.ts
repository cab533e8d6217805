import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually';
import type { GatewayReplica } from '../rig/replica';
import type { World } from '../rig/world';
import { TAKE_OVER_MS } from './death';
import { amlyzeCalls, assertAllAccepted, bankInStep, count, lineOf, replayed } from './looks';
import type { Scenario } from './scenario';

/** The very first batch may be of one record; this waits for a larger one. */
const WORTHWHILE = 5;

export const zombie: Scenario = {
  id: 5,
  title: 'a replica stands still past its lease, another takes over, then it goes on',
  injected:
    'SIGSTOP in the moment its batch is sent, SIGCONT after the others have settled everything; then answers that take two leases',
  expected:
    'the late answer changes no row and is logged as late; the same bytes in both sends; who is only slow keeps its lease',
  accounts: { full: 120, reduced: 40 },
  world: { env: { AMLYZE_BATCH_SIZE: '20', AMLYZE_CONCURRENCY: '1' } },

  async inject({ world, accounts, size }) {
    const [a, b] = await world.startReplicas(2);
    assert(a && b);
    await world.register(a, 'mypos', accounts);
    await bankInStep(world);
    b.pause();
    // The answer comes while it stands still, and waits in its socket.
    await world.amlyze.addFault({ do: { kind: 'latency', ms: 300 } });
    const sent = lineOf(world, 'call', ({ to, items = [] }) => to === 'amlyze' && items.length >= WORTHWHILE);
    await world.resync(a);
    await sent;
    a.pause();
    b.resume();
    await world.heal(TAKE_OVER_MS);
    await world.settled();
    a.resume();
    await a.ready();
    // Its settle comes by itself; there is nothing else to wait for than its trace.
    await eventually(
      'the late answer is in the log',
      async () => (await count(world, 'delivery_result where late')) > 0,
    );
    if (size === 'full') await slowAnswers(world, a);
  },

  async expect({ world, accounts, size }) {
    await assertAllAccepted(world, size === 'full' ? accounts * 2 : accounts);
    const stopped = amlyzeCalls(world).find(({ items = [] }) => items.length >= WORTHWHILE);
    assert(stopped?.items);
    const numbers = stopped.items.map(({ number }) => number);
    const late = await count(
      world,
      `delivery_result d join record_with_state r on r.id = d.record_id where d.late and r.communication_number = any($1)`,
      [numbers],
    );
    assert.equal(late, numbers.length, 'every record of the late answer is logged as late');
    const fenced = await count(
      world,
      `record_with_state where communication_number = any($1) and state = 'accepted' and reason = 'replayed' and claims >= 2`,
      [numbers],
    );
    assert.equal(fenced, numbers.length, 'their state is the one of the second send');
    return { records: accounts, late, replayed: await replayed(world) };
  },
};

const SLOW_MS = 4_500;

/** The two replicas live, their calls take longer than two leases: nobody may take a batch over. */
async function slowAnswers(world: World, gateway: GatewayReplica): Promise<void> {
  const takenBack = await count(world, `delivery_result where reason = 'lease-expired'`);
  const sentBefore = amlyzeCalls(world).length;
  await world.amlyze.addFault({ match: { times: 2 }, do: { kind: 'latency', ms: SLOW_MS } });
  await world.resync(gateway);
  await world.settled();
  assert.equal(await count(world, `delivery_result where reason = 'lease-expired'`), takenBack, 'no lease ran out');
  const numbers = amlyzeCalls(world)
    .slice(sentBefore)
    .flatMap(({ items = [] }) => items.map(({ number }) => number));
  assert.equal(new Set(numbers).size, numbers.length, 'nothing was sent twice');
}

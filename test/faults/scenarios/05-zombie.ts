import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually';
import { TAKE_OVER_MS } from './death';
import { amlyzeCalls, assertAllAccepted, bankInStep, count, lineOf, replayed } from './looks';
import type { Scenario } from './scenario';

export const zombie: Scenario = {
  id: 5,
  title: 'a replica stands still past its lease, another takes over, then it goes on',
  injected: 'SIGSTOP in the moment its batch is sent, SIGCONT after the others have settled everything',
  expected: 'the late answer changes no row and is logged as late; the same bytes in both sends',
  accounts: { full: 120, reduced: 40 },
  world: { env: { AMLYZE_BATCH_SIZE: '20', AMLYZE_CONCURRENCY: '1' } },

  async inject({ world, accounts }) {
    const [a, b] = await world.startReplicas(2);
    assert(a && b);
    await world.register(a, 'mypos', accounts);
    await bankInStep(world);
    b.pause();
    // The answer comes while it stands still, and waits in its socket.
    await world.amlyze.addFault({ match: { times: 1 }, do: { kind: 'latency', ms: 300 } });
    const sent = lineOf(world, 'call', ({ to }) => to === 'amlyze');
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
  },

  async expect({ world, accounts }) {
    await assertAllAccepted(world, accounts);
    const [first] = amlyzeCalls(world);
    assert(first?.items);
    const numbers = first.items.map(({ number }) => number);
    const late = await count(
      world,
      `delivery_result d join amlyze_record r on r.id = d.record_id where d.late and r.communication_number = any($1)`,
      [numbers],
    );
    assert.equal(late, numbers.length, 'every record of the late answer is logged as late');
    const fenced = await count(
      world,
      `amlyze_record where communication_number = any($1) and state = 'accepted' and reason = 'replayed' and epoch >= 3`,
      [numbers],
    );
    assert.equal(fenced, numbers.length, 'their state is the one of the second send');
    return { records: accounts, late, replayed: await replayed(world) };
  },
};

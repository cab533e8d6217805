import assert from 'node:assert/strict';
import { count } from './looks';
import type { Scenario } from './scenario';

const COLLIDING = 3;

export const collision: Scenario = {
  id: 19,
  title: 'a number that AMLYZE knows already, at the first send (restored backup, two environments on one tenant)',
  injected: `the numbers of ${COLLIDING} accounts are used by somebody else`,
  expected: 'held as COLLISION, not accepted; a new number only with a reason and a confirmed danger, and audited',
  accounts: { full: 40, reduced: 20 },

  async inject({ world, accounts }) {
    const a = await world.startReplica();
    await world.register(a, 'mypos', accounts);
    const account = world.accounts.slice(0, COLLIDING).map(({ accountExtId }) => accountExtId);
    await world.amlyze.addFault({ match: { account }, do: { kind: 'already-used' } });
    await world.resync(a);
    await world.settled();
    await world.heal(20_000);
  },

  async expect({ world, accounts }) {
    assert.deepEqual(await world.states(), { accepted: accounts - COLLIDING, held: COLLIDING });
    const held = await world.query<{ number: string; reason: string }>(
      `select communication_number as number, reason from record_with_state where state = 'held' order by id`,
    );
    assert(held.every(({ reason }) => reason === 'COLLISION'));
    const [replica] = world.replicas;
    const [first] = held;
    assert(replica && first);
    const path = `/admin/records/${first.number}/requeue`;
    const unconfirmed = await replica.call('POST', path, { reason: 'the tenant is ours alone', newNumber: true });
    assert.equal(unconfirmed.status, 409, 'a new number is refused while it could double');
    const before = await count(world, 'audit_entry');
    const confirmed = await replica.ok('POST', path, {
      reason: 'looked at AMLYZE: not there',
      newNumber: true,
      confirmDouble: true,
    });
    assert.notEqual(confirmed.communicationNumber, first.number);
    await world.settled();
    assert.deepEqual(await world.states(), { accepted: accounts - COLLIDING + 1, held: COLLIDING });
    assert.equal(await count(world, 'audit_entry'), before + 1, 'the new number is audited');
    return { records: accounts + 1, held: COLLIDING, 'new numbers': 1 };
  },
};

import assert from 'node:assert/strict';
import { dieAt, takeBackMs } from './death';
import { assertAllAccepted, count, replayed } from './looks';
import type { Scenario } from './scenario';

export const deathBeforeSend: Scenario = {
  id: 3,
  title: 'a replica dies between claim and send',
  injected: 'fail point after-claim (kill -9) in the replica that probes AMLYZE after it was not reachable',
  expected: 'claimed again after the lease and accepted for the first time; no double',
  accounts: { full: 150, reduced: 40 },
  world: { env: { AMLYZE_BATCH_SIZE: '20' } },

  inject: (scene) => dieAt(scene, 'after-claim'),

  async expect({ world, accounts }) {
    await assertAllAccepted(world, accounts);
    assert.equal(await replayed(world), 0, 'nothing was sent before, so nothing is replayed');
    const taken = await count(world, `delivery_result where reason = 'lease-expired'`);
    assert(taken > 0, 'the batch of the dead replica shows in the log');
    return { records: accounts, 'taken back': taken, 'after ms': await takeBackMs(world) };
  },
};

import assert from 'node:assert/strict';
import { dieAt, takeBackMs } from './death';
import { assertAllAccepted, count, replayed } from './looks';
import type { Scenario } from './scenario';

export const deathBeforeMark: Scenario = {
  id: 4,
  title: 'a replica dies after the answer, before it is written down',
  injected: 'fail point after-response (kill -9) in the replica that probes AMLYZE after it was not reachable',
  expected: 'sent again, "already used" is the receipt: accepted as replayed, nothing rejected',
  accounts: { full: 150, reduced: 40 },
  world: { env: { AMLYZE_BATCH_SIZE: '20' } },

  inject: (scene) => dieAt(scene, 'after-response'),

  async expect({ world, accounts }) {
    await assertAllAccepted(world, accounts);
    const lost = await count(world, `delivery_result where reason = 'lease-expired'`);
    const again = await replayed(world);
    assert(again > 0, 'what AMLYZE had answered is replayed');
    // Calls beside the first one may have been claimed and not yet answered, or not even sent.
    assert(again <= lost, 'only what was in doubt is replayed');
    return { records: accounts, 'taken back': lost, replayed: again, 'after ms': await takeBackMs(world) };
  },
};

import assert from 'node:assert/strict';
import { SANDBOX_MYPOS } from '../../../src/simulators/defaults';
import { addConsent } from '../rig/connect';
import type { GatewayReplica } from '../rig/replica';
import type { LoadAccount } from '../rig/workload';
import type { World } from '../rig/world';
import { count } from './looks';
import type { Scenario } from './scenario';

const REVOKED = '5ab0d0c0-0000-4000-8000-00000000aaaa';
const EXPIRING = '5ab0d0c0-0000-4000-8000-00000000bbbb';
const USED_UP = '5ab0d0c0-0000-4000-8000-00000000cccc';
const BUDGETED = '5ab0d0c0-0000-4000-8000-00000000dddd';
/** Fewer calls under way than accounts, so that a stop saves the rest of them. */
const CONCURRENCY = 4;
/** Reads that the gateway's own count allows, in the fourth case. */
const BUDGET = 2;

/** Accounts under a consent of their own on the one connection; our id of the consent. */
async function consentWith(
  world: World,
  gateway: GatewayReplica,
  {
    consentId,
    firstIndex,
    accounts,
    ...more
  }: { consentId: string; firstIndex: number; accounts: number; validUntil?: string; frequencyPerDay?: number },
): Promise<{ id: string; accounts: LoadAccount[] }> {
  await world.mypos.call('POST', 'consents', { consentId });
  const connectionId = world.registered.mypos?.connectionId;
  assert(connectionId);
  const id = await addConsent(gateway, 'mypos', connectionId, {
    consentId,
    accessToken: SANDBOX_MYPOS.accessToken,
    ...more,
  });
  world.registered.mypos = { connectionId, consentId: id };
  return { id, accounts: await world.register(gateway, 'mypos', accounts, { firstIndex }) };
}

async function readOnce(world: World, gateway: GatewayReplica, consentId: string): Promise<number> {
  const calls = async (): Promise<number> => (await world.mypos.accessLog({ path: '/balances' })).length;
  const before = await calls();
  await world.resync(gateway, { consentId });
  await world.settled();
  return (await calls()) - before;
}

export const consentEnds: Scenario = {
  id: 23,
  title: 'a consent is revoked, one runs out, one is used up at the bank, one by our own count',
  injected:
    'CONSENT_INVALID for one consent, the end of its 180 days for another, ACCESS_EXCEEDED for a third, a budget of 2 for a fourth',
  expected: 'calls under that consent stop, the consent says why, nothing is repeated in a loop, the others are read',
  accounts: { full: 20, reduced: 8 },
  world: { env: { SYNC_CONCURRENCY: String(CONCURRENCY) } },

  async inject({ world, accounts: many }) {
    const a = await world.startReplica();
    await world.register(a, 'mypos', 1, { firstIndex: 9_000 });
    const revoked = await consentWith(world, a, { consentId: REVOKED, firstIndex: 1, accounts: many });
    const validUntil = new Date(Date.now() + 1_000).toISOString();
    const expiring = await consentWith(world, a, { consentId: EXPIRING, firstIndex: 101, accounts: many, validUntil });
    const usedUp = await consentWith(world, a, { consentId: USED_UP, firstIndex: 201, accounts: many });
    const budgeted = await consentWith(world, a, {
      consentId: BUDGETED,
      firstIndex: 301,
      accounts: many,
      frequencyPerDay: BUDGET,
    });

    await world.mypos.call('POST', 'consents', { consentId: REVOKED, status: 'revokedByPsu' });
    const calls = await readOnce(world, a, revoked.id);
    assert(calls >= 1 && calls <= CONCURRENCY, `${calls} calls under a revoked consent`);
    assert.equal(await readOnce(world, a, revoked.id), 0, 'nobody asks under it again');
    const shown = await a.ok('GET', `/admin/consents/${revoked.id}`);
    assert(
      JSON.stringify(shown).includes('CONSENT_REQUIRED'),
      `the consent does not say why: ${JSON.stringify(shown)}`,
    );

    await world.query(
      'select pg_sleep(greatest(0, extract(epoch from valid_until - now()) + 0.05)) from consent where id = $1',
      [expiring.id],
    );
    assert.equal(await readOnce(world, a, expiring.id), 0, 'no call past the end of a consent');

    await world.mypos.settings({ readsPerDay: 1 });
    assert.equal(await readOnce(world, a, usedUp.id), many);
    assert.equal(await readOnce(world, a, usedUp.id), many, 'each account hears once that its reads are used up');
    assert.equal(await readOnce(world, a, usedUp.id), 0, 'and is not asked again');
    await world.mypos.settings({ readsPerDay: 100 });

    for (let n = 0; n < BUDGET; n += 1) assert.equal(await readOnce(world, a, budgeted.id), many);
    assert.equal(await readOnce(world, a, budgeted.id), 0, 'the budget is used up');
    await world.resync(a);
    await world.settled();
    await world.heal(20_000);
  },

  async expect({ world, accounts: many }) {
    assert.deepEqual(await world.states(), { accepted: many + BUDGET * many + 1 });
    const outcomes = await world.query<{ outcome: string; n: number }>(
      `select outcome, count(*)::int as n from balance_reading where run_id = (select max(id) from sync_run) group by outcome`,
    );
    assert.deepEqual(Object.fromEntries(outcomes.map(({ outcome, n }) => [outcome, n])), {
      READ: 1,
      CONSENT_REQUIRED: 2 * many,
      RATE_LIMITED: many,
      BUDGET_EXHAUSTED: many,
    });
    return { accounts: world.accounts.length, 'ledger rows': await count(world, 'access_ledger') };
  },
};

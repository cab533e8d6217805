import assert from 'node:assert/strict';
import type { AccessEntry } from '../../../src/simulators/kernel/access-log';
import type { World } from '../rig/world';
import { assertAllAccepted, count } from './looks';
import type { Scenario } from './scenario';

/** Of a token. The gateway uses it for nine tenths of that. */
const LIFE_MS = 2_000;
const USED_MS = 1_800;
/** Clocks and calls of a busy machine; a race of three replicas would show as a distance of next to nothing. */
const SLACK_MS = 500;

const tokenRequests = (world: World): Promise<AccessEntry[]> => world.onesingleview.accessLog({ path: '/token' });

export const tokenExpiry: Scenario = {
  id: 13,
  title: 'a token expires again and again in the middle of a run of three replicas',
  injected: `tokens of ${LIFE_MS / 1000} s and a bank that takes 250 ms; then an account for which every token is refused`,
  expected:
    'one token request per expiry over all replicas; a refused token is renewed and the read repeated once, then the consent stops',
  accounts: { full: 200, reduced: 60 },
  world: { env: { SYNC_CONCURRENCY: '4' } },

  async inject({ world, accounts }) {
    const [a] = await world.startReplicas(3);
    assert(a);
    await world.onesingleview.settings({ tokenLifetimeMs: LIFE_MS, tokenFormat: 'opaque' });
    const [first] = await world.register(a, 'onesingleview', accounts);
    await world.onesingleview.addFault({ match: { path: '/balanceById' }, do: { kind: 'latency', ms: 250 } });
    await world.resync(a);
    await world.settled();
    world.history.add({ kind: 'action', what: `${(await tokenRequests(world)).length} token requests so far` });

    await world.onesingleview.addFault({
      match: { account: first?.providerAccountId ?? '' },
      do: { kind: 'token-expiry' },
    });
    const [row] = await world.query<{ id: string }>('select id from account where account_ext_id = $1', [
      first?.accountExtId,
    ]);
    const reads = async (): Promise<number> => (await world.onesingleview.accessLog({ path: '/balanceById' })).length;
    const before = await reads();
    await world.resync(a, { accountIds: [row?.id] });
    await world.settled();
    assert.equal((await reads()) - before, 2, 'a refused token is renewed and the read repeated once');
    await world.resync(a);
    await world.settled();
    assert.equal((await reads()) - before, 2, 'then nobody under that consent is asked');
    await world.heal(20_000);
  },

  async expect({ world, accounts }) {
    await assertAllAccepted(world, accounts);
    assert.equal(await count(world, `consent where stopped_outcome = 'TOKEN_REJECTED'`), 1);
    const requests = (await tokenRequests(world)).filter(({ status }) => status === 200);
    const done = world.history.lines.find(
      (line) => line.kind === 'action' && line.what.includes('token requests so far'),
    );
    const times = requests.map(({ at }) => Date.parse(at)).filter((at) => at <= Date.parse(done?.at ?? ''));
    const distances = times.slice(1).map((at, n) => at - (times[n] ?? 0));
    assert(distances.length >= 1, 'tokens expired while the run was under way');
    const shortest = Math.min(...distances);
    assert(shortest >= USED_MS - SLACK_MS, `two token requests within ${shortest} ms: ${distances.join(', ')}`);
    return { records: accounts, 'token requests': times.length, 'shortest distance ms': shortest };
  },
};

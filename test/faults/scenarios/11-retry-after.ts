import assert from 'node:assert/strict';
import type { FaultRule } from '../../../src/simulators/faults';
import { ofKind } from '../checker/evidence';
import type { World } from '../rig/world';
import { amlyzeCalls, count } from './looks';
import type { Scenario } from './scenario';

const DAY_S = 24 * 60 * 60;
const SHORT_S = 6;
const AMLYZE_S = 2;

/** What each account's bank says, and the seconds that come of it; where it says nothing usable, a day (frequency used up). */
const SAID: readonly { do: FaultRule['do']; seconds: number }[] = [
  { do: { kind: 'retry-after', value: String(SHORT_S) }, seconds: SHORT_S },
  { do: { kind: 'retry-after', dateInSeconds: 600 }, seconds: 600 },
  { do: { kind: 'retry-after' }, seconds: DAY_S },
  { do: { kind: 'retry-after', value: '99999999999' }, seconds: DAY_S },
  { do: { kind: 'retry-after', value: '-5' }, seconds: DAY_S },
  { do: { kind: 'retry-after', value: '200000' }, seconds: DAY_S },
];

const reads = async (world: World): Promise<number> =>
  (await world.mypos.accessLog({ path: '/balances' })).length +
  (await world.onesingleview.accessLog({ path: '/balanceById' })).length;

export const retryAfter: Scenario = {
  id: 11,
  title: '429 with Retry-After: seconds, a date, none, absurd, negative, too long',
  injected: `six forms at one bank's accounts, one for a whole connection at the other, ${AMLYZE_S} s at AMLYZE; kill -9 in between`,
  expected:
    'at least the time asked for, a day at most; counted as a read; the scope waits, also after a restart; then goes on',
  accounts: { full: 12, reduced: 12 },
  // A second call that was under way before the first was answered would be no fault.
  world: { env: { AMLYZE_CONCURRENCY: '1' } },

  async inject({ world, accounts }) {
    const a = await world.startReplica();
    const mypos = await world.register(a, 'mypos', accounts / 2);
    const [first] = await world.register(a, 'onesingleview', accounts / 2);
    const rules = mypos.map(({ providerAccountId }, n): FaultRule => ({
      match: { account: providerAccountId, times: 1 },
      do: SAID[n]?.do ?? { kind: 'retry-after' },
    }));
    await world.mypos.addFault(...rules);
    await world.onesingleview.addFault({
      match: { path: '/balanceById', times: 1 },
      do: { kind: 'retry-after', value: String(SHORT_S) },
    });
    await world.amlyze.addFault({ match: { times: 1 }, do: { kind: 'retry-after', value: String(AMLYZE_S) } });
    await world.resync(a, { connectionId: world.registered.mypos?.connectionId });
    const sql = 'select id from account where account_ext_id = $1';
    const [row] = await world.query<{ id: string }>(sql, [first?.accountExtId]);
    await world.resync(a, { accountIds: [row?.id] });
    await world.settled();
    const asked = await reads(world);
    assert.equal(asked, accounts / 2 + 1, 'one refused call each, and one for the whole connection');

    await world.resync(a);
    await world.settled();
    assert.equal(await reads(world), asked, 'nobody is asked while the scope waits');
    await a.kill();
    const b = await world.startReplica();
    const long = await count(world, `access_subject where not_before > now() + interval '1 minute'`);
    assert.equal(long, SAID.filter(({ seconds }) => seconds > SHORT_S).length, 'the long waits are kept');
    await world.query(`select pg_sleep(greatest(0, extract(epoch from max(not_before) - now()) + 0.1))
      from (select not_before from access_subject union select not_before from connection) w
      where not_before < now() + interval '1 minute'`);
    await world.resync(b);
    await world.settled();
    const again = accounts / 2 + SAID.length - long;
    assert.equal(await reads(world), asked + again, 'who has waited long enough is read, the others are not');
    await world.heal(20_000);
  },

  async expect({ world, accounts }) {
    const waits = await world.query<{ ext: string; seconds: number }>(
      `select a.account_ext_id as ext, extract(epoch from b.next_read_at - b.fetched_at)::float8 as seconds
       from balance_reading b join account a on a.id = b.account_id
       where b.outcome = 'RATE_LIMITED' and b.request_id is not null and a.account_ext_id like 'MP%' order by a.id`,
    );
    assert.deepEqual(
      waits.map(({ seconds }) => Math.round(seconds / 5) * 5),
      SAID.map(({ seconds }) => Math.round(seconds / 5) * 5),
      JSON.stringify(waits),
    );
    assert.equal(await count(world, 'access_ledger'), await reads(world), 'refused reads stay counted');
    const records = accounts / 2 + 1;
    assert.deepEqual(await world.states(), { accepted: records });
    const [first, next] = amlyzeCalls(world);
    const refused = ofKind(world.history.lines, 'return').find(({ call }) => call === first?.call);
    assert(refused?.status === 429 && next);
    const restedMs = Date.parse(next.at) - Date.parse(refused.at);
    assert(restedMs >= AMLYZE_S * 1_000, `AMLYZE asked for ${AMLYZE_S} s and was called after ${restedMs} ms`);
    return { waits: waits.length, 'bank calls': await reads(world), records, 'AMLYZE rested ms': restedMs };
  },
};

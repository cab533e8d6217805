import assert from 'node:assert/strict';
import type { Client } from 'pg';
import { eventually } from '../../support/eventually';
import type { World } from '../rig/world';
import { assertAllAccepted, count } from './looks';
import type { Scenario } from './scenario';

/** Rows that somebody looks at and forgets about. */
const HELD = 5;
const HOLDER_MS = 8_000;

/** Opens sessions until the server has none left; all of them. */
async function takeAllSessions(world: World): Promise<Client[]> {
  const taken: Client[] = [];
  for (;;) {
    try {
      taken.push(await world.session());
    } catch {
      return taken;
    }
  }
}

export const sessionsUsedUp: Scenario = {
  id: 22,
  title: 'somebody else takes every session of the server, and somebody holds rows in an open transaction',
  injected: `all free sessions, in one of them ${HELD} accounts locked and left idle; that one ends by its time-out of ${HOLDER_MS / 1000} s`,
  expected:
    'work goes on with the sessions that the gateway has; what is locked is passed over, and done when the holder is gone',
  accounts: { full: 120, reduced: 40 },
  world: { env: { AMLYZE_BATCH_SIZE: '10' } },

  async inject({ world, accounts }) {
    const [a] = await world.startReplicas(2);
    assert(a);
    await world.register(a, 'mypos', accounts);
    const holder = await world.session();
    await holder.query(`set idle_in_transaction_session_timeout = '${HOLDER_MS}ms'`);
    const spy = await world.session();
    const taken = await takeAllSessions(world);
    try {
      assert(taken.length > 10, `only ${taken.length} sessions were free`);
      await holder.query('begin');
      await holder.query(`select id from access_subject order by id limit ${HELD} for update`);
      await world.resync(a);
      const open = async (): Promise<number> => {
        const { rows } = await spy.query<{ n: number }>('select count(*)::int as n from waiting_account');
        return rows[0]?.n ?? Number.NaN;
      };
      await eventually('all the others are read', async () => (await open()) <= HELD, HOLDER_MS);
      assert.equal(await open(), HELD, 'what is locked waits for its holder');
    } finally {
      await Promise.all([spy, ...taken].map((client) => client.end()));
    }
    await world.settled();
    await holder.end().catch(() => undefined);
    await world.heal(20_000);
  },

  async expect({ world, accounts }) {
    await assertAllAccepted(world, accounts);
    return { records: accounts, held: HELD, readings: await count(world, 'balance_reading') };
  },
};

import assert from 'node:assert/strict';
import { LOGIN_PAGE } from '../../../src/simulators/kernel/wire';
import { count } from './looks';
import type { Scenario } from './scenario';

const PAGES = 6;

export const loginPage: Scenario = {
  id: 9,
  title: 'a bank answers 200 with a login page',
  injected: `HTML for ${PAGES} accounts, for half of them labelled as JSON, others healthy`,
  expected: 'INVALID_PAYLOAD after one call each, no record, nothing of the page in the log, the others accepted',
  accounts: { full: 30, reduced: 12 },

  async inject({ world, accounts }) {
    const a = await world.startReplica();
    await world.register(a, 'mypos', accounts);
    const names = world.accounts.map(({ providerAccountId }) => providerAccountId);
    await world.mypos.addFault(
      { match: { account: names.slice(0, PAGES / 2) }, do: { kind: 'html' } },
      { match: { account: names.slice(PAGES / 2, PAGES) }, do: { kind: 'html-as-json' } },
    );
    await world.resync(a);
    await world.settled();
    await world.heal(20_000);
  },

  async expect({ world, accounts }) {
    assert.deepEqual(await world.states(), { accepted: accounts - PAGES });
    assert.equal(await count(world, `balance_reading where outcome = 'INVALID_PAYLOAD'`), PAGES);
    const reads = await world.mypos.accessLog({ path: '/balances' });
    assert.equal(reads.length, accounts, 'one call for each account');
    const log = world.replicas.map((replica) => replica.log()).join('');
    for (const words of ['Please sign in', '<html', LOGIN_PAGE.slice(0, 20)])
      assert(!log.includes(words), `the log has "${words}" of the page`);
    return { accounts, 'invalid payloads': PAGES, 'bank calls': reads.length };
  },
};

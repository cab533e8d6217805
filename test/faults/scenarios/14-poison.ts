import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually';
import { amlyzeCalls, count, lineOf } from './looks';
import type { Scenario } from './scenario';

const BATCH = { full: 500, reduced: 500 } as const;
/** AMLYZE's own words about the record, once it is asked about it alone. */
const WORDS = { errorCode: '001', errorDescription: 'balanceAt is not correct' };

export const poison: Scenario = {
  id: 14,
  title: 'a poison record in a full batch',
  injected: 'AMLYZE answers 400 to every batch that has one certain record, in a batch of 500',
  expected:
    "found within 2 x ceil(log2 500) + 1 = 19 sends; the others accepted; the record rejected with AMLYZE's words",
  // Whatever the first batch takes, a full one is left.
  accounts: { full: 1_000, reduced: 1_000 },
  world: { env: { AMLYZE_CONCURRENCY: '1', AMLYZE_BATCH_SIZE: String(BATCH.full) } },

  async inject({ world, accounts, size }) {
    const a = await world.startReplica();
    await world.register(a, 'mypos', accounts);
    // The first batch is whatever was there when it was claimed. It is held until all the others wait for the next one.
    world.wire.amlyze.set({ kind: 'timeout', ms: 0, direction: 'down' });
    const first = lineOf(world, 'call', ({ to }) => to === 'amlyze');
    await world.resync(a);
    const early = new Set(((await first).items ?? []).map(({ number }) => number));
    await eventually('all is read', async () => (await count(world, 'amlyze_record')) === accounts, 60_000);
    const waiting = await world.query<{ account_ext_id: string }>(
      `select account_ext_id from record_with_state where state = 'pending' order by next_attempt_at, id limit $1`,
      [BATCH[size]],
    );
    assert(waiting.length === BATCH[size], `${early.size} of ${accounts} went out early; a full batch is needed`);
    const { account_ext_id: account } = world.random.pick(waiting);
    await world.amlyze.addFault({ match: { account }, do: { kind: 'reject-batch-containing', ...WORDS } });
    world.history.add({ kind: 'action', what: `poison ${account}` });
    world.wire.amlyze.clear();
    await world.settled();
    await world.heal(0);
  },

  async expect({ world, accounts, size }) {
    assert.deepEqual(await world.states(), { accepted: accounts - 1, rejected: 1 });
    const [rejected] = await world.query<{ number: string; code: string; words: string; ext: string }>(
      `select communication_number as number, error_code as code, error_description as words, account_ext_id as ext
       from record_with_state where state = 'rejected'`,
    );
    assert(rejected);
    assert(world.history.lines.some((line) => line.kind === 'action' && line.what === `poison ${rejected.ext}`));
    assert.deepEqual([rejected.code, rejected.words], [WORDS.errorCode, WORDS.errorDescription]);
    const calls = amlyzeCalls(world);
    const full = calls.find(({ items = [] }) => items.some(({ number }) => number === rejected.number));
    const members = new Set(full?.items?.map(({ number }) => number));
    assert.equal(members.size, BATCH[size], 'it was in a full batch');
    const sends = calls.filter(({ items = [] }) => items.some(({ number }) => members.has(number))).length;
    const most = 2 * Math.ceil(Math.log2(BATCH[size])) + 1;
    assert(sends <= most, `${sends} sends for the batch, ${most} are allowed`);
    return { records: accounts, batch: members.size, sends, 'allowed sends': most };
  },
};

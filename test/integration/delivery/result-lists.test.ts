import type { FaultRule } from '../../../src/simulators';
import { DeliverySetting } from '../../support/delivery-setting';

const BATCH_PATH = 'batch-account-balances';

describe('delivery', () => {
  const delivery = new DeliverySetting();
  const { enqueue, fault, once, ledgerNumbers } = delivery;

  test.each<[string, FaultRule['do']]>([
    ['in another order', { kind: 'shuffle-results' }],
    ['with every result twice', { kind: 'double-results', count: 5 }],
    ['with a null among them', { kind: 'null-result' }],
    ['with a stranger among them', { kind: 'stranger-result' }],
    ['without account names', { kind: 'mislabelled-results', count: 5, accountExtId: '' }],
  ])('accepts all of a batch whose results come %s', async (_what, action) => {
    const numbers = await enqueue(5);
    await fault({ do: action });
    await delivery.bench.drain();
    expect(await delivery.rows.states()).toEqual({ accepted: 5 });
    expect(await ledgerNumbers()).toEqual(numbers);
    expect(await delivery.rows.log()).toHaveLength(5);
  });

  test('gives each record of a shuffled list its own verdict', async () => {
    const numbers = await enqueue(4);
    await fault({
      match: { account: 'A3' },
      do: { kind: 'reject-items', errorCode: 'X1', errorDescription: 'not this one' },
    });
    await fault({ do: { kind: 'shuffle-results' } });
    await delivery.bench.drain();
    const states = await Promise.all(numbers.map(async (number) => (await delivery.rows.one(number)).state));
    expect(states).toEqual(['accepted', 'accepted', 'rejected', 'accepted']);
  });

  test('with a batch that AMLYZE took half of before it failed has each record in the ledger once', async () => {
    const numbers = await enqueue(10);
    await once({ kind: 'commit-part', count: 4 });
    await delivery.bench.turn();
    expect(await delivery.rows.states()).toEqual({ pending: 10 });
    expect(await delivery.bench.pause()).toMatchObject({ pause: 'backoff', failures: 1 });
    await delivery.bench.endPauseTime();
    await delivery.bench.drain();
    const reasons = (await delivery.rows.all()).map(({ state, reason }) => [state, reason]);
    expect(reasons.slice(0, 4)).toEqual(Array.from({ length: 4 }, () => ['accepted', 'replayed']));
    expect(reasons.slice(4)).toEqual(Array.from({ length: 6 }, () => ['accepted', null]));
    expect(await ledgerNumbers()).toEqual(numbers);
  });

  test('after a connection that broke behind the commit accepts the whole batch as replayed, and AMLYZE has each once', async () => {
    const numbers = await enqueue(20);
    await once({ kind: 'drop-after-commit' });
    await delivery.bench.turn();
    await delivery.bench.endPauseTime();
    await delivery.bench.drain();
    expect(
      (await delivery.rows.all()).every(({ state, reason }) => state === 'accepted' && reason === 'replayed'),
    ).toBe(true);
    expect(await ledgerNumbers()).toEqual(numbers);
    expect(await delivery.amlyze.stats()).toMatchObject({ replays: 20, replaysWithOtherContent: 0 });
  });

  test.each<[string, FaultRule['do']]>([
    ['a 429', { kind: 'retry-after' }],
    ['a 401', { kind: 'status', status: 401 }],
    ['a 413', { kind: 'too-large', maxItems: 1 }],
    ['a 400', { kind: 'reject-batch-containing' }],
  ])('keeps the doubt of an earlier send through %s', async (_what, refusal) => {
    const numbers = await enqueue(4);
    await once({ kind: 'drop-after-commit' });
    await delivery.bench.turn();
    await once(refusal);
    await delivery.bench.endPauseTime();
    await delivery.bench.turn();
    expect((await delivery.rows.all()).map(({ state, in_doubt }) => [state, in_doubt])).toEqual(
      numbers.map(() => ['pending', true]),
    );
    await delivery.bench.endPauseTime();
    await delivery.bench.drain();
    expect((await delivery.rows.all()).map(({ state, reason }) => [state, reason])).toEqual(
      numbers.map(() => ['accepted', 'replayed']),
    );
    expect(await ledgerNumbers()).toEqual(numbers);
  });

  test('sends every attempt to the batch endpoint unless one record of a cut batch is left', async () => {
    await enqueue(3);
    await delivery.bench.drain();
    expect((await delivery.amlyze.accessLog({ path: BATCH_PATH })).map(({ items }) => items)).toEqual([3]);
  });
});

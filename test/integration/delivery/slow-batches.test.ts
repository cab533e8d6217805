import { DeliverySetting } from '../../support/delivery-setting';
import { eventually } from '../../support/eventually';

const TIMEOUT_MS = 1_000;
const LATE_MS = 1_500;

describe('delivery', () => {
  const delivery = new DeliverySetting();
  const { enqueue, fault, once, sends, ledgerNumbers } = delivery;

  // Calls that we gave up go on over there: what they do belongs to their own test, and to its assertions.
  afterEach(allWorkedOff);

  async function allWorkedOff(): Promise<void> {
    await eventually('AMLYZE has worked off every call', async () =>
      (await delivery.amlyze.accessLog()).every(({ durationMs }) => durationMs !== null),
    );
  }

  /** One worker, then four, until nothing is pending, as if the time of every pause were over at once. */
  async function deliverAll(): Promise<void> {
    const { bench } = delivery;
    await bench.turn();
    for (let round = 0; round < 200; round += 1) {
      const turns = await Promise.all([bench.turn(), bench.turn(), bench.turn(), bench.turn()]);
      if (turns.includes('sent')) continue;
      if (turns.every((turn) => turn === 'idle')) return;
      await bench.endPauseTime();
    }
    throw new Error(`still not delivered: ${JSON.stringify(await delivery.rows.states())}`);
  }

  describe('to an AMLYZE that needs time for each record', () => {
    // 25 ms a record and a time-out of 1 s: 39 get through at a time, as with 50 ms and 2 s.
    test('finds by itself a size that gets through, with 500 in a batch, and each is accepted once', async () => {
      await delivery.restart({ AMLYZE_BATCH_SIZE: '500', AMLYZE_TIMEOUT_MS: String(TIMEOUT_MS) });
      const numbers = await enqueue(500);
      await fault({ do: { kind: 'latency', ms: 0, perItemMs: 25 } });
      await deliverAll();
      await allWorkedOff();
      expect((await sends()).slice(0, 5)).toEqual([500, 250, 125, 62, 31]);
      expect(await delivery.rows.states()).toEqual({ accepted: 500 });
      expect(await ledgerNumbers()).toEqual(numbers.toSorted());
      expect((await delivery.rows.all()).every(({ attempts, in_doubt }) => attempts === 0 && !in_doubt)).toBe(true);
      expect(await delivery.amlyze.stats()).toMatchObject({ accepted: 500, replaysWithOtherContent: 0 });
    }, 60_000);

    test('likewise where it takes up a batch only when we have given it up', async () => {
      await delivery.restart({ AMLYZE_BATCH_SIZE: '120', AMLYZE_TIMEOUT_MS: String(TIMEOUT_MS) });
      const numbers = await enqueue(120);
      await fault({ do: { kind: 'latency', ms: 0, perItemMs: 25, before: true } });
      await deliverAll();
      await allWorkedOff();
      expect((await sends()).slice(0, 3)).toEqual([120, 60, 30]);
      expect(await delivery.rows.states()).toEqual({ accepted: 120 });
      expect(await ledgerNumbers()).toEqual(numbers.toSorted());
      expect(await delivery.amlyze.stats()).toMatchObject({ accepted: 120, replaysWithOtherContent: 0 });
    }, 60_000);

    test('sends a part of a cut batch in smaller batches too', async () => {
      await delivery.restart({ AMLYZE_BATCH_SIZE: '8', AMLYZE_TIMEOUT_MS: String(TIMEOUT_MS) });
      const numbers = await enqueue(8);
      await fault({ match: { account: 'A1' }, do: { kind: 'reject-batch-containing' } });
      await delivery.bench.turn();
      await fault({ do: { kind: 'latency', ms: 0, perItemMs: 350 } });
      await deliverAll();
      await allWorkedOff();
      expect(await delivery.rows.states()).toEqual({ accepted: 7, rejected: 1 });
      expect(await ledgerNumbers()).toEqual(numbers.slice(1).toSorted());
    }, 60_000);
  });

  describe('when a batch is not answered in time', () => {
    test('pauses as for any failure, halves the batches that follow, and grows again by what gets through', async () => {
      await delivery.restart({ AMLYZE_BATCH_SIZE: '64', AMLYZE_TIMEOUT_MS: String(TIMEOUT_MS) });
      await enqueue(320);
      await once({ kind: 'latency', ms: LATE_MS });
      await delivery.bench.turn();
      expect(await delivery.bench.pause()).toMatchObject({ pause: 'backoff', failures: 1, batchLimit: 32 });
      const sent = (await delivery.rows.all()).filter(({ whole_failures }) => whole_failures === 1);
      expect(sent).toHaveLength(64);
      expect(sent.every(({ attempts, in_doubt }) => attempts === 0 && in_doubt)).toBe(true);
      await delivery.bench.endPauseTime();
      await delivery.bench.drain();
      expect((await sends()).slice(0, 6)).toEqual([64, 32, 40, 50, 62, 64]);
      expect(await delivery.bench.pause()).toMatchObject({ pause: null, batchLimit: null });
      expect(await delivery.rows.states()).toEqual({ accepted: 320 });
    });

    test('halves once for calls that were under way together', async () => {
      await delivery.restart({ AMLYZE_BATCH_SIZE: '16', AMLYZE_TIMEOUT_MS: String(TIMEOUT_MS) });
      await enqueue(64);
      await fault({ do: { kind: 'latency', ms: 3_000 } });
      const { bench } = delivery;
      await Promise.all([bench.turn(), bench.turn(), bench.turn(), bench.turn()]);
      expect(await bench.pause()).toMatchObject({ failures: 1, batchLimit: 8 });
    });

    test('leaves the size alone where the batch was one record', async () => {
      await delivery.restart({ AMLYZE_TIMEOUT_MS: String(TIMEOUT_MS) });
      await enqueue(1);
      await once({ kind: 'latency', ms: LATE_MS });
      await delivery.bench.turn();
      expect(await delivery.bench.pause()).toMatchObject({ pause: 'backoff', batchLimit: null });
    });
  });

  test('does not send fewer at a time because of a failure that says nothing about the size', async () => {
    await enqueue(8);
    await once({ kind: 'status', status: 503 });
    await delivery.bench.turn();
    await delivery.bench.endPauseTime();
    await once({ kind: 'drop-after-commit' });
    await delivery.bench.turn();
    expect(await delivery.bench.pause()).toMatchObject({ failures: 2, batchLimit: null });
  });
});

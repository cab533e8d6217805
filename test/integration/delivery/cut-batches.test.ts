import { DeliverySetting, SINGLE_PATH } from '../../support/delivery-setting';

describe('delivery', () => {
  const delivery = new DeliverySetting();
  const { enqueue, fault, once, sends, ledgerNumbers } = delivery;

  describe('with one batch that fails as a whole while others get through', () => {
    test('halves it until the guilty record is alone, and charges that one only', async () => {
      await delivery.restart({ AMLYZE_BATCH_SIZE: '8', AMLYZE_MAX_ATTEMPTS: '3' });
      const numbers = await enqueue(8);
      await fault({ match: { account: 'A6' }, do: { kind: 'drop-before-read' } });
      for (let round = 0; round < 80 && (await delivery.rows.one(numbers[5])).state !== 'exhausted'; round += 1) {
        // Others keep coming, as they do in life.
        await enqueue(1, `other-${round}-`);
        await delivery.bench.turn();
        await delivery.bench.endPauseTime();
        await delivery.rows.makeDue();
      }
      await delivery.bench.drain();
      expect(await delivery.rows.one(numbers[5])).toMatchObject({ state: 'exhausted', in_doubt: true, attempts: 3 });
      const others = (await delivery.rows.all()).filter((record) => record.communication_number !== numbers[5]);
      expect(others.every(({ state, attempts }) => state === 'accepted' && attempts === 0)).toBe(true);
    });

    test('charges a record that is refused even alone, without doubt', async () => {
      await delivery.restart({ AMLYZE_MAX_ATTEMPTS: '2' });
      const [number] = await enqueue(1);
      const account = 'A1';
      await fault({ match: { account, path: 'batch' }, do: { kind: 'status', status: 400 } });
      await fault({ match: { account, path: SINGLE_PATH }, do: { kind: 'status', status: 413 } });
      for (let round = 0; round < 20 && (await delivery.rows.one(number)).state !== 'exhausted'; round += 1) {
        await enqueue(1, `other-${round}-`);
        await delivery.bench.turn();
        await delivery.bench.endPauseTime();
        await delivery.rows.makeDue();
      }
      const record = await delivery.rows.one(number);
      expect(record).toMatchObject({ state: 'exhausted', in_doubt: false, attempts: 2 });
      const log = (await delivery.rows.log()).filter(({ record_id }) => record_id === record.id);
      expect([...new Set(log.map(({ verdict }) => verdict))]).toEqual(['refused']);
    });

    test('gets its good records through even where nothing else is due', async () => {
      const numbers = await enqueue(8);
      await fault({ match: { account: 'A1' }, do: { kind: 'drop-before-read' } });
      await delivery.bench.turn();
      await enqueue(1, 'B');
      for (let round = 0; round < 40 && (await delivery.rows.states())['accepted'] !== 8; round += 1) {
        await delivery.bench.endPauseTime();
        await delivery.bench.turn();
      }
      expect(await delivery.rows.states()).toEqual({ accepted: 8, pending: 1 });
      expect(await delivery.rows.one(numbers[0])).toMatchObject({ state: 'pending', in_doubt: true });
    });
  });

  describe('with a poison record in a batch that AMLYZE answers 400', () => {
    test('isolates it in at most 19 sends out of 500, and rejects it with the words of the single endpoint', async () => {
      const numbers = await enqueue(500);
      await fault({
        match: { account: 'A321' },
        do: { kind: 'reject-batch-containing', errorCode: 'B042', errorDescription: 'balance is not acceptable' },
      });
      await delivery.bench.drain();
      expect(await delivery.rows.states()).toEqual({ accepted: 499, rejected: 1 });
      expect(await delivery.rows.one(numbers[320])).toMatchObject({
        state: 'rejected',
        reason: 'BUSINESS_REJECTION',
        in_doubt: false,
        error_code: 'B042',
        error_description: 'balance is not acceptable',
        attempts: 0,
      });
      expect((await delivery.rows.all()).every(({ attempts, in_doubt }) => attempts === 0 && !in_doubt)).toBe(true);
      const sent = await sends();
      expect(sent.length).toBeLessThanOrEqual(19);
      expect(sent.filter((size) => size === 'single').length).toBeLessThanOrEqual(2);
      expect(await ledgerNumbers()).toEqual(numbers.filter((_, index) => index !== 320));
    });

    test('asks the single endpoint at once where the batch has one record', async () => {
      await enqueue(1);
      await fault({ do: { kind: 'reject-batch-containing' } });
      await delivery.bench.drain();
      expect(await delivery.rows.one()).toMatchObject({ state: 'rejected', error_code: '001' });
      expect(await sends()).toEqual([1, 'single']);
      expect((await delivery.verdicts()).map(([verdict]) => verdict)).toEqual(['refused', 'rejected']);
    });

    test('asks with one record whether anything is alive where nothing succeeds down to three levels, and pauses', async () => {
      await enqueue(64);
      await fault({ do: { kind: 'status', status: 400 } });
      const { sent, end } = await delivery.bench.drain();
      expect(end).toBe('closed');
      expect((await sends()).filter((size) => size === 'single')).toHaveLength(1);
      expect(sent).toBeLessThanOrEqual(16);
      expect(await delivery.bench.pause()).toMatchObject({ pause: 'backoff' });
      expect(await delivery.rows.states()).toEqual({ pending: 64 });
      const doubtful = (await delivery.rows.all()).filter(({ attempts, in_doubt }) => attempts > 0 || in_doubt);
      // The single endpoint's bare 400 is in no table, so what was sent there is in doubt; the rest is not.
      expect(doubtful.map(({ attempts }) => attempts)).toEqual([0]);

      await delivery.amlyze.clearFaults();
      await delivery.bench.endPauseTime();
      await delivery.rows.makeDue();
      await delivery.bench.drain();
      expect(await delivery.rows.states()).toEqual({ accepted: 64 });
    });

    test('goes on where that one record gets a verdict, and rejects every record that is to blame', async () => {
      await enqueue(16);
      await fault({ do: { kind: 'reject-batch-containing', errorCode: 'B1', errorDescription: 'none of these' } });
      for (let round = 0; round < 5; round += 1) {
        await delivery.bench.drain();
        await delivery.rows.makeDue();
      }
      expect(await delivery.rows.states()).toEqual({ rejected: 16 });
      expect(await delivery.bench.pause()).toMatchObject({ pause: null });
    });

    test('does not hold up the others where it is the probe', async () => {
      await enqueue(4);
      await once({ kind: 'status', status: 503 });
      await delivery.bench.turn();
      await fault({ match: { account: 'A1' }, do: { kind: 'reject-batch-containing' } });
      await delivery.bench.endPauseTime();
      await delivery.bench.drain();
      expect(await delivery.rows.states()).toEqual({ accepted: 3, rejected: 1 });
      expect(await delivery.bench.pause()).toMatchObject({ pause: null });
    });
  });

  describe('with batches that are too large', () => {
    test('halves what it sends until it gets through, and grows again', async () => {
      await delivery.restart({ AMLYZE_BATCH_SIZE: '64' });
      await enqueue(160);
      await fault({ match: { times: 2 }, do: { kind: 'too-large', maxItems: 20 } });
      await delivery.bench.drain();
      expect(await delivery.rows.states()).toEqual({ accepted: 160 });
      expect((await sends()).slice(0, 5)).toEqual([64, 32, 16, 20, 25]);
      expect((await delivery.verdicts()).filter(([verdict]) => verdict === 'refused')).toHaveLength(64 + 32);
      expect((await delivery.rows.all()).every(({ attempts }) => attempts === 0)).toBe(true);
    });

    test('halves once for calls that were under way together', async () => {
      await delivery.restart({ AMLYZE_BATCH_SIZE: '16' });
      await enqueue(64);
      await fault({ do: { kind: 'latency', ms: 500 } });
      await fault({ match: { times: 4 }, do: { kind: 'too-large', maxItems: 10 } });
      await Promise.all([delivery.bench.turn(), delivery.bench.turn(), delivery.bench.turn(), delivery.bench.turn()]);
      expect(await delivery.bench.pause()).toMatchObject({ batchLimit: 8, pause: null });
    });

    test('does not lose the probe', async () => {
      await enqueue(8);
      await once({ kind: 'status', status: 503 });
      await delivery.bench.turn();
      await fault({ match: { times: 1 }, do: { kind: 'too-large', maxItems: 4 } });
      await delivery.bench.endPauseTime();
      await delivery.bench.drain();
      expect(await delivery.rows.states()).toEqual({ accepted: 8 });
    });
  });
});

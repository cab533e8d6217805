import type { FaultRule } from '../../../src/simulators';
import { DeliverySetting } from '../../support/delivery-setting';

describe('delivery', () => {
  const delivery = new DeliverySetting();
  const { enqueue, fault, once, verdicts, ledgerNumbers } = delivery;

  describe('while the endpoint fails as a whole', () => {
    test.each<[string, FaultRule['do'], string]>([
      ['503', { kind: 'status', status: 503 }, '503'],
      ['500 after the commit', { kind: 'status', status: 500, afterCommit: true }, '500'],
      ['a login page under 200', { kind: 'html' }, 'JSON'],
      ['a login page that calls itself JSON', { kind: 'html-as-json' }, 'JSON'],
      ['JSON without results', { kind: 'status', status: 200, body: '{"timeElapsedMs":1}' }, '200'],
      [
        'an error code beside the results',
        { kind: 'status', status: 200, body: '{"errorCode":"E1","results":[]}' },
        'E1',
      ],
      ['418', { kind: 'status', status: 418 }, '418'],
      ['a broken connection', { kind: 'drop-before-read' }, 'connection-lost'],
      ['a cut answer', { kind: 'truncate' }, 'truncated'],
    ])('with %s pauses, charges nobody, and one good probe ends it', async (_what, action, words) => {
      await enqueue(3);
      await once(action);
      expect(await delivery.bench.turn()).toBe('sent');
      for (const record of await delivery.rows.all()) {
        expect(record).toMatchObject({ state: 'pending', in_doubt: true, attempts: 0, whole_failures: 1 });
      }
      const pause = await delivery.bench.pause();
      expect(pause).toMatchObject({ pause: 'backoff', failures: 1 });
      expect(pause.reason).toContain(words);
      expect(pause.forMs).toBeGreaterThan(0);
      expect(pause.forMs).toBeLessThanOrEqual(1_000);
      expect(await delivery.bench.turn()).toBe('closed');

      await delivery.bench.endPauseTime();
      expect((await delivery.bench.drain()).end).toBe('idle');
      expect(await delivery.rows.states()).toEqual({ accepted: 3 });
      expect(await delivery.bench.pause()).toMatchObject({ pause: null, reason: null, failures: 0 });
    });

    test('ends with the oldest first: what was tried during the outage has lost no place', async () => {
      await delivery.restart({ AMLYZE_BATCH_SIZE: '2' });
      const numbers = await enqueue(8);
      await once({ kind: 'status', status: 503 });
      expect(await delivery.bench.turn()).toBe('sent');
      await delivery.bench.endPauseTime();
      await delivery.bench.drain();
      const accepted = (await delivery.amlyze.ledger()).map((entry) => entry.communicationNumber);
      const [first, second, third, ...rest] = numbers;
      // The probe leaves out the batch that failed.
      expect(accepted).toEqual([third, rest[0], first, second, ...rest.slice(1)]);
    });

    test('by never answering in time is no different', async () => {
      await delivery.restart({ AMLYZE_TIMEOUT_MS: '1000' });
      await enqueue(1);
      await once({ kind: 'latency', ms: 3_000 });
      await delivery.bench.turn();
      expect(await delivery.rows.one()).toMatchObject({ state: 'pending', in_doubt: true, attempts: 0 });
      expect(await delivery.bench.pause()).toMatchObject({ pause: 'backoff' });
      await delivery.bench.endPauseTime();
      await delivery.bench.drain();
      expect(await delivery.rows.one()).toMatchObject({ state: 'accepted', reason: 'replayed' });
    });

    test('by refusing connections leaves no doubt', async () => {
      await delivery.restart({}, 'http://127.0.0.1:9');
      await enqueue(1);
      await delivery.bench.turn();
      expect(await delivery.rows.one()).toMatchObject({ state: 'pending', in_doubt: false, attempts: 0 });
      expect(await verdicts()).toEqual([['not-sent', expect.stringContaining('refused')]]);
      expect(await delivery.rows.attempts()).toMatchObject([{ outcome: 'failed' }]);
      expect(await delivery.bench.pause()).toMatchObject({ pause: 'backoff' });
    });

    test('waits twice as long after each failed probe, up to 30 s, whatever its length and without a charge', async () => {
      await enqueue(2);
      await fault({ do: { kind: 'status', status: 503 } });
      const waitsMs: number[] = [];
      for (let probe = 0; probe < 14; probe += 1) {
        expect(await delivery.bench.turn()).toBe('sent');
        expect(await delivery.bench.turn()).toBe('closed');
        waitsMs.push(Math.ceil((await delivery.bench.pause()).forMs / 1_000) * 1_000);
        await delivery.bench.endPauseTime();
      }
      expect(waitsMs).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, ...Array.from({ length: 9 }, () => 30_000)]);
      expect((await delivery.rows.all()).map(({ state, attempts }) => [state, attempts])).toEqual([
        ['pending', 0],
        ['pending', 0],
      ]);
      await delivery.amlyze.clearFaults();
      await delivery.bench.drain();
      expect(await delivery.rows.states()).toEqual({ accepted: 2 });
    });

    test('counts calls that were under way together once', async () => {
      await delivery.restart({ AMLYZE_BATCH_SIZE: '2' });
      await enqueue(8);
      await fault({ do: { kind: 'latency', ms: 100 } });
      await fault({ do: { kind: 'status', status: 503 } });
      expect(
        await Promise.all([delivery.bench.turn(), delivery.bench.turn(), delivery.bench.turn(), delivery.bench.turn()]),
      ).toEqual(['sent', 'sent', 'sent', 'sent']);
      expect(await delivery.bench.pause()).toMatchObject({ pause: 'backoff', failures: 1 });
    });

    test('is probed by one batch at a time, of other records than the one that failed', async () => {
      await delivery.restart({ AMLYZE_BATCH_SIZE: '2' });
      const numbers = await enqueue(6);
      await fault({ match: { account: 'A1' }, do: { kind: 'drop-before-read' } });
      await delivery.bench.turn();
      await delivery.bench.endPauseTime();
      await fault({ match: { times: 1 }, do: { kind: 'latency', ms: 100 } });
      const turns = await Promise.all([delivery.bench.turn(), delivery.bench.turn(), delivery.bench.turn()]);
      expect(turns.sort()).toEqual(['closed', 'closed', 'sent']);
      expect(await delivery.bench.pause()).toMatchObject({ pause: null });
      expect(await ledgerNumbers()).toEqual(numbers.slice(2, 4));
    });

    test('never charges a record that had a doubtful answer long before the outage', async () => {
      await enqueue(2);
      await once({ kind: 'failed-processing' });
      await delivery.bench.turn();
      await delivery.rows.makeDue();
      await fault({ do: { kind: 'status', status: 503 } });
      for (let probe = 0; probe < 6; probe += 1) {
        expect(await delivery.bench.turn()).toBe('sent');
        expect((await delivery.bench.pause()).pause).toBe('backoff');
        await delivery.bench.endPauseTime();
      }
      expect((await delivery.rows.all()).map(({ attempts, batch_group }) => [attempts, batch_group])).toEqual([
        [1, null],
        [1, null],
      ]);
    });

    test('never charges or cuts further what failed beside successes before the outage', async () => {
      const numbers = await enqueue(2);
      await fault({ match: { account: 'A1' }, do: { kind: 'drop-before-read' } });
      await delivery.bench.turn();
      await enqueue(1, 'B');
      await delivery.bench.endPauseTime();
      await delivery.bench.turn();
      expect(await delivery.rows.states()).toEqual({ accepted: 1, pending: 2 });
      await delivery.bench.turn();
      expect(await groupCount()).toBe(2);

      // From here on nothing works any more, for hours.
      await fault({ do: { kind: 'drop-before-read' } });
      for (let probe = 0; probe < 30; probe += 1) {
        await delivery.bench.turn();
        expect((await delivery.bench.pause()).pause).toBe('backoff');
        await delivery.bench.endPauseTime();
      }
      const [first, second] = [await delivery.rows.one(numbers[0]), await delivery.rows.one(numbers[1])];
      expect([first.attempts + second.attempts, first.state, second.state]).toEqual([0, 'pending', 'pending']);
      await delivery.amlyze.clearFaults();
      await delivery.bench.drain();
      expect(await delivery.rows.states()).toEqual({ accepted: 3 });
    });
  });

  async function groupCount(): Promise<number> {
    const [row] = await delivery.database.query<{ n: number }>(
      'select count(distinct batch_group)::int as n from record_with_state where batch_group is not null',
    );
    return row?.n ?? 0;
  }
});

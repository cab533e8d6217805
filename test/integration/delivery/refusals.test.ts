import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FaultRule } from '../../../src/simulators';
import { DeliverySetting } from '../../support/delivery-setting';
import { eventually } from '../../support/eventually';

describe('delivery', () => {
  const delivery = new DeliverySetting();
  const { startBench, enqueue, fault, once, sends, verdicts } = delivery;

  describe('told to wait by 429', () => {
    test.each<[string, { value?: string; dateInSeconds?: number }, number, number]>([
      ['in seconds', { value: '120' }, 119_000, 120_000],
      ['until a date', { dateInSeconds: 120 }, 117_000, 121_000],
      ['not at all', {}, 0, 1_000],
      ['for an absurd time', { value: '86400' }, 899_000, 900_000],
      ['for longer than a year', { value: '2147483647' }, 899_000, 900_000],
      ['for a negative time', { value: '-5' }, 0, 1_000],
    ])('%s waits within its bounds, without doubt', async (_what, retryAfter, leastMs, mostMs) => {
      await enqueue(2);
      await once({ kind: 'retry-after', ...retryAfter });
      await delivery.bench.turn();
      const pause = await delivery.bench.pause();
      expect(pause).toMatchObject({ pause: 'rate-limit' });
      expect(pause.forMs).toBeGreaterThan(leastMs);
      expect(pause.forMs).toBeLessThanOrEqual(mostMs);
      expect((await delivery.rows.all()).map(({ in_doubt, attempts, state }) => [in_doubt, attempts, state])).toEqual([
        [false, 0, 'pending'],
        [false, 0, 'pending'],
      ]);
      expect(await verdicts()).toEqual(Array(2).fill(['refused', expect.stringContaining('429')]));
    });

    test('waits over a restart, in every replica', async () => {
      await enqueue(1);
      await once({ kind: 'retry-after', value: '120' });
      await delivery.bench.turn();
      const other = await startBench();
      expect(await other.turn()).toBe('closed');
      expect((await other.pause()).forMs).toBeGreaterThan(110_000);
      expect(await sends()).toEqual([1]);
    });

    test('is not talked out of it by an answer to a call that was under way before', async () => {
      await delivery.restart({ AMLYZE_BATCH_SIZE: '1' });
      await enqueue(2);
      // Both calls are under way before the first is answered, and the refusal is answered first.
      await fault({ match: { account: 'A1' }, do: { kind: 'latency', ms: 300 } });
      await fault({ match: { account: 'A2' }, do: { kind: 'latency', ms: 900 } });
      await fault({ match: { account: 'A1' }, do: { kind: 'retry-after', value: '120' } });
      await Promise.all([delivery.bench.turn(), delivery.bench.turn()]);
      expect(await delivery.rows.states()).toEqual({ accepted: 1, pending: 1 });
      expect(await delivery.bench.pause()).toMatchObject({ pause: 'rate-limit' });
      expect(await delivery.bench.turn()).toBe('closed');
    });

    test('doubles the wait where no time is given', async () => {
      await enqueue(1);
      await fault({ do: { kind: 'retry-after' } });
      const waitsMs: number[] = [];
      for (let n = 0; n < 4; n += 1) {
        await delivery.bench.turn();
        waitsMs.push(Math.ceil((await delivery.bench.pause()).forMs / 1_000) * 1_000);
        await delivery.bench.endPauseTime();
      }
      expect(waitsMs).toEqual([1_000, 2_000, 4_000, 8_000]);
    });
  });

  describe('refused for a setting of ours', () => {
    test.each<[string, FaultRule['do'], string]>([
      ['401', { kind: 'status', status: 401 }, 'refused'],
      ['403', { kind: 'status', status: 403 }, 'refused'],
      ['404 of the path', { kind: 'status', status: 404 }, 'refused'],
      ['one unknown business unit for every record', { kind: 'tenant-error' }, 'rejected'],
    ])('by %s keeps the records pending without doubt and probes after 5 minutes', async (_what, action, logged) => {
      await enqueue(3);
      await fault({ match: { times: 1 }, do: action });
      await delivery.bench.turn();
      expect((await delivery.rows.all()).map(({ state, in_doubt, attempts }) => [state, in_doubt, attempts])).toEqual(
        Array.from({ length: 3 }, () => ['pending', false, 0]),
      );
      expect((await verdicts()).map(([verdict]) => verdict)).toEqual(Array(3).fill(logged));
      expect(await delivery.rows.attempts()).toMatchObject([{ outcome: 'refused' }]);
      const pause = await delivery.bench.pause();
      expect(pause).toMatchObject({ pause: 'operator' });
      expect(pause.forMs).toBeGreaterThan(290_000);
      expect(await delivery.bench.turn()).toBe('closed');
      await delivery.bench.endPauseTime();
      await delivery.bench.drain();
      expect(await delivery.rows.states()).toEqual({ accepted: 3 });
    });

    test.each<[string, FaultRule['do'], string, number]>([
      ['403', { kind: 'status', status: 403 }, 'refused', 403],
      ['429', { kind: 'retry-after', value: '120' }, 'refused', 429],
      ['503', { kind: 'status', status: 503 }, 'in-doubt', 503],
      ['200', { kind: 'latency', ms: 0 }, 'in-doubt', 200],
    ])(
      'by %s in an answer that is cut off is logged with its status, as sent',
      async (_what, action, logged, status) => {
        await enqueue(2);
        await once(action);
        await once({ kind: 'truncate', bytes: 1 });
        await delivery.bench.turn();
        expect((await verdicts()).map(([verdict]) => verdict)).toEqual([logged, logged]);
        const outcome = logged === 'refused' ? 'refused' : 'failed';
        expect(await delivery.rows.attempts()).toMatchObject([{ outcome, http_status: status }]);
      },
    );

    test.each<[string, boolean, object]>([
      ['held as consumed', false, { reason: 'NUMBER_CONSUMED', in_doubt: false }],
      ['held after a send in doubt, not accepted by a guess', true, { reason: 'COLLISION', in_doubt: true }],
    ])(
      'that AMLYZE names for each record counts as its rejection: a number that is used then is %s',
      async (_what, doubt, held) => {
        await enqueue(2);
        await delivery.amlyze.settings({ rejectedConsumesNumber: true });
        await once({ kind: 'tenant-error' });
        await delivery.bench.turn();
        const words = { error_description: expect.stringContaining('business unit'), answer: expect.any(String) };
        expect(await delivery.rows.log()).toMatchObject([words, words]);
        await delivery.bench.endPauseTime();
        if (doubt) {
          await once({ kind: 'status', status: 503 });
          await delivery.bench.turn();
          await delivery.bench.endPauseTime();
        }
        await delivery.bench.drain();
        expect(await delivery.rows.all()).toMatchObject([
          { state: 'held', ...held },
          { state: 'held', ...held },
        ]);
      },
    );

    test('without a token that can be sent has sent nothing, and says so', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'token-'));
      try {
        const file = join(folder, 'token');
        await writeFile(file, 'a-token');
        await delivery.restart({ AMLYZE_TOKEN: '', AMLYZE_TOKEN_FILE: file });
        // With such a file it would not have started.
        await writeFile(file, 'a token');
        await enqueue(1);
        await delivery.bench.turn();
        expect(await verdicts()).toEqual([['not-sent', expect.stringContaining('token')]]);
        expect(await delivery.rows.attempts()).toMatchObject([{ outcome: 'failed', http_status: null }]);
        expect(await sends()).toEqual([]);
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    test('goes on at once when the token file is overwritten', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'token-'));
      const file = join(folder, 'token');
      await writeFile(file, 'expired-token');
      await delivery.restart({ AMLYZE_TOKEN: '', AMLYZE_TOKEN_FILE: file });
      await enqueue(1);
      await delivery.bench.turn();
      await delivery.bench.open();
      expect(await delivery.bench.turn()).toBe('closed');
      await writeFile(file, 'sandbox-amlyze-token');
      // Looked into once a second at most; the process looks at every poll.
      await eventually('the new token is noticed', async () => {
        await delivery.bench.open();
        return (await delivery.bench.turn()) === 'sent';
      });
      expect(await delivery.rows.states()).toEqual({ accepted: 1 });
      await rm(folder, { recursive: true });
    });

    test('is not called again and again by a replica with a refused token beside one with a good one', async () => {
      const good = delivery.bench;
      const folder = await mkdtemp(join(tmpdir(), 'token-'));
      const file = join(folder, 'token');
      await writeFile(file, 'soon-gone');
      const bad = [
        await startBench({ AMLYZE_TOKEN: 'an-old-token' }),
        await startBench({ AMLYZE_TOKEN: '', AMLYZE_TOKEN_FILE: file }),
      ];
      await rm(folder, { recursive: true });
      // Each of them as at a poll, in this order.
      const poll = async (): Promise<void> => {
        for (const bench of [...bad, good]) {
          await bench.open();
          await bench.turn();
        }
      };
      const failed = async (): Promise<(number | null)[]> =>
        (await delivery.rows.attempts())
          .filter(({ outcome }) => outcome !== 'answered')
          .map(({ http_status }) => http_status);
      for (let polls = 0; polls < 10; polls += 1) {
        await enqueue(6, `P${polls}-`);
        await poll();
      }
      expect(await failed()).toEqual([401, null]);
      // The good one was never kept from it.
      expect(await delivery.rows.states()).toEqual({ accepted: 60 });
      await delivery.database.query(`update amlyze_endpoint set probe_until = now() - interval '1 s'`);
      await enqueue(6, 'later-');
      await poll();
      await poll();
      expect(await failed()).toEqual([401, null, 401]);
      expect(await delivery.rows.states()).toEqual({ accepted: 66 });
    });

    test('goes on at once with another configuration, and not with the same', async () => {
      await delivery.amlyze.call('POST', 'tokens', {
        tokens: [{ token: 'sandbox-amlyze-token', revoked: true }, { token: 'renewed-token' }],
      });
      await enqueue(1);
      await delivery.bench.turn();
      await delivery.bench.open();
      expect(await delivery.bench.turn()).toBe('closed');
      const renewed = await startBench({ AMLYZE_TOKEN: 'renewed-token' });
      expect((await renewed.drain()).sent).toBe(1);
      expect(await delivery.rows.states()).toEqual({ accepted: 1 });
      expect(await renewed.pause()).toMatchObject({ pause: null });
    });
  });
});

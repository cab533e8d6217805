import type { FaultRule } from '../../../src/simulators';
import { DeliverySetting } from '../../support/delivery-setting';
import type { RecordState } from '../../support/outbox-rows';

describe('delivery', () => {
  const delivery = new DeliverySetting();
  const { enqueue, fault, once, verdicts, ledgerNumbers } = delivery;

  /** A send that AMLYZE never saw, so that what follows is "with doubt". */
  async function doubt(): Promise<void> {
    await once({ kind: 'status', status: 503 });
    expect(await delivery.bench.turn()).toBe('sent');
    expect((await delivery.rows.all()).every((record) => record.in_doubt && record.state === 'pending')).toBe(true);
    await delivery.bench.endPauseTime();
  }

  describe('of one record is settled', () => {
    const ACCEPTED: Partial<RecordState> = { state: 'accepted', reason: null, in_doubt: false };

    test('accepted, where AMLYZE says so', async () => {
      const [number] = await enqueue(1);
      expect(await delivery.bench.drain()).toEqual({ sent: 1, end: 'idle' });
      expect(await delivery.rows.one()).toMatchObject({ ...ACCEPTED, attempts: 0, claims: 1 });
      expect(await verdicts()).toEqual([['accepted', null]]);
      expect(await delivery.rows.attempts()).toEqual([
        expect.objectContaining({ records: 1, http_status: 200, outcome: 'answered' }),
      ]);
      expect(await ledgerNumbers()).toEqual([number]);
      expect(await delivery.bench.pause()).toMatchObject({ pause: null, failures: 0 });
    });

    test('accepted, where AMLYZE says so after a doubtful send', async () => {
      await enqueue(1);
      await doubt();
      await delivery.bench.drain();
      expect(await delivery.rows.one()).toMatchObject(ACCEPTED);
      expect((await verdicts()).map(([verdict]) => verdict)).toEqual(['in-doubt', 'accepted']);
    });

    test('held as a collision, where its number is used and no send of ours may have done that', async () => {
      await enqueue(1);
      await fault({ do: { kind: 'already-used' } });
      await delivery.bench.drain();
      expect(await delivery.rows.one()).toMatchObject({
        state: 'held',
        reason: 'COLLISION',
        in_doubt: false,
        error_code: 'O005',
        error_description: 'CommunicationNumber already used in amlyze',
      });
      expect(await verdicts()).toEqual([['held', 'COLLISION']]);
      expect(await ledgerNumbers()).toEqual([]);
    });

    test('held as the known collision, where a send in doubt comes between two of its answers', async () => {
      await enqueue(1);
      const used = { kind: 'already-used' } as const;
      await once(used);
      await delivery.bench.drain();
      await requeue();
      await doubt();
      await once(used);
      await delivery.bench.drain();
      expect(await delivery.rows.one()).toMatchObject({ state: 'held', reason: 'COLLISION', in_doubt: true });
      expect((await verdicts()).map(([verdict]) => verdict)).toEqual(['held', 'in-doubt', 'held']);
      expect(await ledgerNumbers()).toEqual([]);
    });

    test('held as consumed, where its number is used after a rejection of our own', async () => {
      await enqueue(1);
      await delivery.amlyze.settings({ rejectedConsumesNumber: true });
      await once({ kind: 'reject-items', errorCode: '404', errorDescription: 'no such account' });
      await delivery.bench.drain();
      expect(await delivery.rows.one()).toMatchObject({ state: 'rejected', reason: 'BUSINESS_REJECTION' });
      await requeue();
      await delivery.bench.drain();
      expect(await delivery.rows.one()).toMatchObject({ state: 'held', reason: 'NUMBER_CONSUMED', in_doubt: false });
      expect((await verdicts()).map(([verdict]) => verdict)).toEqual(['rejected', 'held']);
    });

    test('accepted as replayed, where its number is used and a send of ours may have arrived', async () => {
      const [number] = await enqueue(1);
      await once({ kind: 'drop-after-commit' });
      await delivery.bench.turn();
      expect(await delivery.rows.one()).toMatchObject({ state: 'pending', in_doubt: true, attempts: 0 });
      await delivery.bench.endPauseTime();
      await delivery.bench.drain();
      expect(await delivery.rows.one()).toMatchObject({ state: 'accepted', reason: 'replayed', in_doubt: false });
      expect((await verdicts()).at(-1)).toEqual(['accepted', 'replayed']);
      expect(await ledgerNumbers()).toEqual([number]);
      expect(await delivery.amlyze.stats()).toMatchObject({ replays: 1, replaysWithOtherContent: 0 });
    });

    test("rejected with AMLYZE's words, where the reason is the business's", async () => {
      await delivery.rows.enqueue(await delivery.rows.accounts(1));
      await delivery.bench.drain();
      expect(await delivery.rows.one()).toMatchObject({
        state: 'rejected',
        reason: 'BUSINESS_REJECTION',
        in_doubt: false,
        error_code: '404',
        error_description: 'Account with given extId does not exist',
        attempts: 0,
      });
      const [entry] = await delivery.rows.log();
      expect(JSON.parse(entry?.answer ?? '')).toMatchObject({ resultType: 'REQUEST_REJECTED', errorCode: '404' });
    });

    test('rejected but still in doubt, where an earlier send may have arrived', async () => {
      await delivery.rows.enqueue(await delivery.rows.accounts(1));
      await doubt();
      await delivery.bench.drain();
      expect(await delivery.rows.one()).toMatchObject({
        state: 'rejected',
        reason: 'REJECTED_AFTER_DOUBT',
        in_doubt: true,
      });
    });

    async function requeue(): Promise<void> {
      await delivery.database.query(
        `update record_state set state = 'pending', reason = null, settled_at = null, next_attempt_at = now()`,
      );
    }
  });

  describe('of one record tries again with the same bytes', () => {
    test.each<[string, FaultRule['do'], string]>([
      ['failed processing', { kind: 'failed-processing' }, 'PROCESSING_FAILED'],
      ['no result', { kind: 'omit-results' }, 'MISSING_FROM_RESULTS'],
      ['two results that contradict each other', { kind: 'conflicting-results' }, 'CONFLICTING_RESULTS'],
      ["another account's result", { kind: 'mislabelled-results' }, 'OTHER_ACCOUNT'],
    ])('after %s, and charges the record an attempt', async (_what, action, reason) => {
      const numbers = await enqueue(3);
      await fault({ match: { times: 1, account: 'A2' }, do: action });
      await delivery.bench.turn();
      const doubtful = await delivery.rows.one(numbers[1]);
      expect(doubtful).toMatchObject({ state: 'pending', in_doubt: true, attempts: 1 });
      expect(Number(doubtful.due_in_ms)).toBeGreaterThan(500);
      expect(Number(doubtful.due_in_ms)).toBeLessThanOrEqual(2_000);
      expect(await delivery.rows.states()).toEqual({ accepted: 2, pending: 1 });
      expect((await delivery.rows.log()).find((entry) => entry.record_id === doubtful.id)).toMatchObject({
        verdict: 'in-doubt',
        reason,
      });
      expect(await delivery.bench.turn()).toBe('idle');

      await delivery.rows.makeDue();
      await delivery.bench.drain();
      expect(await delivery.rows.one(numbers[1])).toMatchObject({ state: 'accepted', in_doubt: false });
      expect(await ledgerNumbers()).toEqual(numbers);
      expect(await delivery.amlyze.stats()).toMatchObject({ replaysWithOtherContent: 0 });
    });

    test('until its attempts are used up, and then it is exhausted, not forgotten', async () => {
      await delivery.restart({ AMLYZE_MAX_ATTEMPTS: '3' });
      const numbers = await enqueue(2);
      await fault({ match: { account: 'A1' }, do: { kind: 'failed-processing' } });
      for (let attempt = 0; attempt < 5; attempt += 1) {
        await delivery.bench.drain();
        await delivery.rows.makeDue();
      }
      expect(await delivery.rows.one(numbers[0])).toMatchObject({
        state: 'exhausted',
        reason: 'ATTEMPTS_EXHAUSTED',
        in_doubt: true,
        attempts: 3,
      });
      expect((await delivery.rows.log()).filter(({ verdict }) => verdict === 'in-doubt')).toHaveLength(3);
      expect(await delivery.rows.one(numbers[1])).toMatchObject({ state: 'accepted' });
    });
  });
});

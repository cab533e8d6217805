import { claimDue, type ClaimedBatch } from '../../../src/outbox/claim';
import { answerKey, settleCalls, takeBackExpired, type SettledCall, type Settlement } from '../../../src/outbox/settle';
import { settle } from '../../support/settle';
import { OutboxSetting, REQUEST } from '../../support/outbox-setting';

describe('settling in the outbox', () => {
  const outbox = new OutboxSetting();
  const { db, mustClaim, settleAll } = outbox;

  test('writes state, words, log and the end of the attempt at once', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(1));
    const batch = await mustClaim();
    const words = { errorCode: 'O007', errorDescription: 'no such account', answer: '{"x":1}' };
    const late = await settleAll(batch, {
      state: 'rejected',
      reason: 'BUSINESS_REJECTION',
      verdict: 'rejected',
      verdictReason: 'BUSINESS_REJECTION',
      ...words,
    });
    const record = await outbox.rows.one();
    expect(late).toEqual(new Set());
    expect(record).toMatchObject({
      state: 'rejected',
      reason: 'BUSINESS_REJECTION',
      error_code: 'O007',
      error_description: 'no such account',
      in_doubt: false,
      attempt_id: null,
      due_in_ms: null,
    });
    expect(await outbox.rows.log()).toEqual([
      expect.objectContaining({
        record_id: record.id,
        attempt_id: batch.attemptId,
        late: false,
        verdict: 'rejected',
        reason: 'BUSINESS_REJECTION',
        error_code: 'O007',
        error_description: 'no such account',
        answer: '{"x":1}',
      }),
    ]);
    expect(await outbox.rows.attempts()).toEqual([
      expect.objectContaining({
        outcome: 'answered',
        http_status: 200,
        latency_ms: 5,
        finished_at: expect.any(Date),
        lease_in_ms: null,
        record_ids: null,
      }),
    ]);
  });

  test("counts AMLYZE's answer where the attempt is given up in the same commit, whichever comes first", async () => {
    const settlement = {
      inDoubt: true,
      state: 'pending',
      verdict: 'in-doubt',
      verdictReason: 'gateway-stopped',
    } as const;
    const accounts = await outbox.rows.accounts(2);
    for (const [index, account] of accounts.entries()) {
      await outbox.rows.enqueue([account]);
      const { attemptId, records } = await mustClaim();
      const [record] = records;
      if (!record) throw new Error('nothing was claimed');
      const calls: SettledCall[] = [
        {
          attemptId,
          settlements: [{ record, state: 'accepted', inDoubt: false, verdict: 'accepted' }],
          end: { outcome: 'answered' },
        },
        { attemptId, settlements: [{ record, ...settlement }], end: { outcome: 'given-back' } },
      ];
      await settleCalls(db(), index === 0 ? calls : calls.reverse());
      expect((await outbox.rows.log()).at(-1)).toMatchObject({
        record_id: record.id,
        verdict: 'accepted',
        late: false,
      });
      expect((await outbox.rows.all()).at(-1)).toMatchObject({ state: 'accepted', in_doubt: false });
    }
  });

  test('what simply was accepted, and what was not, leaves the same kind of lines', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(2));
    const batch = await mustClaim();
    const [one, two] = batch.records;
    if (!one || !two) throw new Error('nothing was claimed');
    const accepted = { state: 'accepted', inDoubt: false, verdict: 'accepted' } as const;
    const settlements: Settlement[] = [
      { record: one, ...accepted, answer: '{"resultType":"REQUEST_ACCEPTED"}' },
      { record: two, ...accepted, reason: 'replayed', verdictReason: 'replayed', answer: 'of two\nlines' },
    ];
    expect(await settle(db(), batch.attemptId, settlements, { outcome: 'answered' })).toEqual(new Set());
    expect((await outbox.rows.all()).map(({ state, reason, in_doubt }) => [state, reason, in_doubt])).toEqual([
      ['accepted', null, false],
      ['accepted', 'replayed', false],
    ]);
    expect(
      (await outbox.rows.log()).map(({ verdict, reason, answer, late }) => [verdict, reason, answer, late]),
    ).toEqual([
      ['accepted', null, '{"resultType":"REQUEST_ACCEPTED"}', false],
      ['accepted', 'replayed', 'of two\nlines', false],
    ]);
  });

  test('after the claim was lost changes no state, and stands in the log as late', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(1));
    const lost = await mustClaim();
    await outbox.rows.expireLeases();
    expect(await takeBackExpired(db())).toEqual({ attempts: 1, records: 1 });
    const winner = await mustClaim();
    const before = await outbox.rows.one();

    expect(await settleAll(lost)).toEqual(new Set([answerKey(lost.attemptId, before.id)]));
    expect(await outbox.rows.one()).toEqual(before);
    expect(await outbox.rows.log()).toEqual([
      expect.objectContaining({
        attempt_id: lost.attemptId,
        late: false,
        verdict: 'in-doubt',
        reason: 'lease-expired',
      }),
      expect.objectContaining({ attempt_id: lost.attemptId, late: true, verdict: 'accepted' }),
    ]);

    expect(await settleAll(winner, { reason: 'replayed' })).toEqual(new Set());
    expect(await outbox.rows.one()).toMatchObject({ state: 'accepted', reason: 'replayed', in_doubt: false });
  });

  test('settles the records of a batch that are still held, and only those', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(3));
    const batch = await mustClaim();
    const [taken] = batch.records;
    await db().query('update record_state set attempt_id = 4711 where record_id = $1', [taken?.id]);
    expect(await settleAll(batch)).toEqual(new Set([answerKey(batch.attemptId, taken?.id ?? '')]));
    expect((await outbox.rows.log()).filter(({ late }) => late).map((row) => row.record_id)).toEqual([taken?.id]);
    expect(await outbox.rows.states()).toEqual({ accepted: 2, sending: 1 });
  });

  test('waits for who takes its attempt back with nothing in hand, so that the two cannot deadlock', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(2));
    const batch = await mustClaim();
    await outbox.rows.expireLeases();
    let settling: Promise<ReadonlySet<string>> | undefined;
    await db().transaction(async (tx) => {
      await tx.query('select id from delivery_attempt where id = $1 for update', [batch.attemptId]);
      settling = settleAll(batch);
      await waitsForLock();
      expect(await takeBackExpired(tx)).toEqual({ attempts: 1, records: 2 });
    });
    expect((await settling)?.size).toBe(2);
    expect(await outbox.rows.states()).toEqual({ pending: 2 });
  });

  test('of the same attempt a second time, to another end, changes nothing that stands', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(1));
    const batch = await mustClaim();
    await settleAll(batch);
    const stands = [await outbox.rows.one(), await outbox.rows.attempts()];
    const givenBack = batch.records.map((record): Settlement => ({
      record,
      state: 'pending',
      inDoubt: true,
      verdict: 'in-doubt',
    }));
    const again = await settle(db(), batch.attemptId, givenBack, { outcome: 'given-back' });
    expect([...again]).toEqual(batch.records.map(({ id }) => answerKey(batch.attemptId, id)));
    expect([await outbox.rows.one(), await outbox.rows.attempts()]).toEqual(stands);
    expect((await outbox.rows.log()).map(({ verdict, late }) => [verdict, late])).toEqual([
      ['accepted', false],
      ['in-doubt', true],
    ]);
  });

  test('tells the late answer from the right one where both are settled in one statement', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(1));
    const lost = await mustClaim();
    await outbox.rows.expireLeases();
    await takeBackExpired(db());
    const winner = await mustClaim();
    const call = (batch: ClaimedBatch, state: 'accepted' | 'held'): SettledCall => ({
      attemptId: batch.attemptId,
      settlements: batch.records.map((record) => ({ record, state, reason: 'X', inDoubt: false, verdict: state })),
      end: { outcome: 'answered' },
    });
    await settleCalls(db(), [call(lost, 'held'), call(winner, 'accepted')]);
    expect(await outbox.rows.one()).toMatchObject({ state: 'accepted' });
    expect((await outbox.rows.log()).map(({ attempt_id, verdict, late }) => [attempt_id, verdict, late])).toEqual([
      [lost.attemptId, 'in-doubt', false],
      [lost.attemptId, 'held', true],
      [winner.attemptId, 'accepted', false],
    ]);
  });

  test('lets a blocked record go although a claim is parking it at that very moment', async () => {
    const accounts = await outbox.rows.accounts(1);
    await outbox.rows.enqueue(accounts, { balanceAt: '2026-03-05T06:00:00.000Z' });
    const batch = await mustClaim();
    const [second] = await outbox.rows.enqueue(accounts, { balanceAt: '2026-03-06T06:00:00.000Z' });
    let settling: Promise<unknown> | undefined;
    await db().transaction(async (tx) => {
      await claimDue(tx, REQUEST);
      settling = settleAll(batch);
      await waitsForLock();
    });
    await settling;
    expect(Number((await outbox.rows.one(second)).due_in_ms)).toBeLessThanOrEqual(0);
  });

  /** Until some session of this database waits for a lock of another. */
  async function waitsForLock(): Promise<void> {
    for (const end = performance.now() + 2_000; performance.now() < end;) {
      const [row] = await db().query<{ n: number }>(
        `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      if ((row?.n ?? 0) > 0) return;
    }
  }
});

import { claimDue, claimGroup } from '../../../src/outbox/claim';
import { takeBackExpired, type Settlement } from '../../../src/outbox/settle';
import { OutboxSetting, REQUEST, numbersOf } from '../../support/outbox-setting';

describe('claims of the outbox', () => {
  const outbox = new OutboxSetting();
  const { db, claim, mustClaim, settleAll } = outbox;

  test('takes what has been due longest, and no more than its limit', async () => {
    const numbers = await outbox.rows.enqueue(await outbox.rows.accounts(6));
    await db().query(
      `update record_state set next_attempt_at = now() - make_interval(secs => 100 - (record_id % 7) * 10) where record_id % 2 = 0`,
    );
    const expected = await db().query<{ communication_number: string }>(
      'select communication_number from record_with_state order by next_attempt_at, id limit 4',
    );
    const first = await mustClaim({ limit: 4 });
    expect(numbersOf(first)).toEqual(expected.map((row) => row.communication_number).sort());
    const second = await mustClaim({ limit: 4 });
    expect([...numbersOf(first), ...numbersOf(second)].sort()).toEqual(numbers);
    expect(await claim()).toBeUndefined();
  });

  test('leaves what is due later, what is settled, and what the caller excepts', async () => {
    const [later, held, excepted, due] = await outbox.rows.enqueue(await outbox.rows.accounts(4));
    await db().query(
      `update record_state set next_attempt_at = now() + interval '1 hour' where record_id = (select id from amlyze_record where communication_number = $1)`,
      [later],
    );
    await db().query(
      `update record_state set state = 'held', reason = 'COLLISION', next_attempt_at = null, settled_at = now()
where record_id = (select id from amlyze_record where communication_number = $1)`,
      [held],
    );
    const { id } = await outbox.rows.one(excepted);
    expect(numbersOf(await claim({ exceptIds: [id] }))).toEqual([due]);
    expect(numbersOf(await claim())).toEqual([excepted]);
    expect(await claim()).toBeUndefined();
  });

  test('shares the records between claimers: every one goes to exactly one of them, and nobody waits', async () => {
    const numbers = await outbox.rows.enqueue(await outbox.rows.accounts(300));
    const batches = await Promise.all(Array.from({ length: 6 }, () => claim({ limit: 50 })));
    expect(batches.map((batch) => batch?.records.length)).toEqual([50, 50, 50, 50, 50, 50]);
    expect(batches.flatMap(numbersOf).sort()).toEqual(numbers);
    expect(new Set(batches.map((batch) => batch?.attemptId)).size).toBe(6);
  });

  test('does not wait for records that another session has locked', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(4));
    await db().transaction(async (tx) => {
      const locked = await tx.query<{ communication_number: string }>(
        `with locked as (select record_id from record_state order by record_id limit 2 for update)
select communication_number from amlyze_record join locked on record_id = id`,
      );
      const batch = await mustClaim();
      expect(batch.records).toHaveLength(2);
      expect(numbersOf(batch)).not.toEqual(expect.arrayContaining(locked.map((row) => row.communication_number)));
    });
  });

  test('touches no index of the state, and leaves each record its place among what is due', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(50));
    const places = 'select record_id, next_attempt_at, standing from record_state order by record_id';
    const before = await db().query(places);
    await db().transaction(async (tx) => {
      // Heap-only, as Postgres calls it: a row that keeps its place in its page and all of its index entries.
      const changes = `select n_tup_upd - n_tup_hot_upd as n, n_tup_upd as all from pg_stat_xact_user_tables where relname = 'record_state'`;
      const [first] = await tx.query<{ n: string; all: string }>(changes);
      expect((await claimDue(tx, REQUEST))?.records).toHaveLength(50);
      const [then] = await tx.query<{ n: string; all: string }>(changes);
      expect(Number(then?.all) - Number(first?.all)).toBe(50);
      // A page that is full of what earlier tests left has no room for a few; with a claimed column in any index it would be all of them.
      expect(Number(then?.n) - Number(first?.n)).toBeLessThan(10);
    });
    expect(await db().query(places)).toEqual(before);
  });

  test('commits the attempt with its lease and its records, and the doubt, before anything is sent', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(2));
    const batch = await mustClaim({ leaseSeconds: 30 });
    expect(await outbox.rows.attempts()).toEqual([
      expect.objectContaining({
        id: batch.attemptId,
        endpoint: 'balances',
        records: 2,
        replica: 'test',
        outcome: null,
        record_ids: batch.records.map(({ id }) => id),
      }),
    ]);
    for (const row of await outbox.rows.all()) {
      expect(row).toMatchObject({
        state: 'sending',
        in_doubt: true,
        claims: 1,
        attempt_id: batch.attemptId,
        due_in_ms: null,
      });
    }
    const [attempt] = await outbox.rows.attempts();
    expect(Number(attempt?.lease_in_ms)).toBeGreaterThan(25_000);
    expect(Number(attempt?.lease_in_ms)).toBeLessThanOrEqual(30_000);
    expect(batch.records.map(({ inDoubtBefore, rejectedBefore }) => [inDoubtBefore, rejectedBefore])).toEqual([
      [false, false],
      [false, false],
    ]);
  });

  test('writes no attempt where there is nothing to claim', async () => {
    expect(await claim()).toBeUndefined();
    expect(await claimGroup(db(), REQUEST)).toBeUndefined();
    expect(await outbox.rows.attempts()).toEqual([]);
  });

  test('hands out the same frozen bytes in every attempt, and says what is known of the number', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(1), { value: '4.200' });
    const seen: string[] = [];
    for (const verdict of ['in-doubt', 'rejected', 'in-doubt'] as const) {
      const batch = await mustClaim();
      seen.push(...batch.records.map((record) => record.payload));
      await settleAll(batch, {
        state: 'pending',
        inDoubt: verdict === 'in-doubt',
        verdict,
        delayMs: 0,
        chargesAttempt: true,
      });
    }
    const last = await mustClaim();
    expect(new Set([...seen, ...last.records.map((record) => record.payload)]).size).toBe(1);
    expect(seen[0]).toContain('"value":4.200}');
    expect(last.records).toEqual([expect.objectContaining({ inDoubtBefore: true, rejectedBefore: true, attempts: 3 })]);
  });

  test.each<[string, Partial<Settlement>, boolean]>([
    ['that it is used already', { verdict: 'held', verdictReason: 'COLLISION' }, true],
    ['that a rejection used it up', { verdict: 'held', verdictReason: 'NUMBER_CONSUMED' }, false],
    ['nothing', { verdict: 'in-doubt', verdictReason: 'COLLISION' }, false],
  ])('remembers of a number that AMLYZE said %s', async (_what, said, collidedBefore) => {
    await outbox.rows.enqueue(await outbox.rows.accounts(1));
    for (const more of [said, { verdict: 'in-doubt' } as const]) {
      await settleAll(await mustClaim(), { state: 'pending', inDoubt: true, ...more });
    }
    expect((await mustClaim()).records).toEqual([expect.objectContaining({ rejectedBefore: false, collidedBefore })]);
  });

  test('does not take an answer that came too late for a proof: who took over may have used the number', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(1));
    const overtaken = await mustClaim();
    await outbox.rows.expireLeases();
    await takeBackExpired(db(), 10);
    const next = await mustClaim();
    await settleAll(overtaken, { state: 'held', reason: 'COLLISION', verdict: 'held', verdictReason: 'COLLISION' });
    await settleAll(next, { state: 'pending', inDoubt: true, verdict: 'in-doubt' });
    expect((await outbox.rows.log()).filter(({ late }) => late)).toHaveLength(1);
    expect((await mustClaim()).records).toEqual([expect.objectContaining({ collidedBefore: false })]);
  });
});

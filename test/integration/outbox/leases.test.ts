import { extendLeases, takeBackExpired } from '../../../src/outbox/settle';
import { OutboxSetting } from '../../support/outbox-setting';

describe('a lease of the outbox', () => {
  const outbox = new OutboxSetting();
  const { db, mustClaim } = outbox;

  test('is renewed only where the attempt still holds its records', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(2));
    const lost = await mustClaim({ leaseSeconds: 5, limit: 1 });
    const batch = await mustClaim({ leaseSeconds: 5, limit: 1 });
    await outbox.rows.expireLeases([lost.attemptId]);
    await takeBackExpired(db());
    const other = await mustClaim({ leaseSeconds: 5 });
    await extendLeases(db(), [lost.attemptId, batch.attemptId], 600);
    const leases = new Map((await outbox.rows.attempts()).map((row) => [row.id, Number(row.lease_in_ms)]));
    expect(leases.get(lost.attemptId)).toBe(0);
    expect(leases.get(other.attemptId)).toBeLessThanOrEqual(5_000);
    expect(leases.get(batch.attemptId)).toBeGreaterThan(500_000);
    expect(await takeBackExpired(db())).toEqual({ attempts: 0, records: 0 });
  });

  test('is renewed without waiting for a settle that holds the attempt, so that the two cannot deadlock', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(2));
    const [settling, other] = [await mustClaim({ limit: 1 }), await mustClaim({ limit: 1 })];
    await db().transaction(async (tx) => {
      await tx.query('select id from delivery_attempt where id = $1 for update', [settling.attemptId]);
      await extendLeases(db(), [settling.attemptId, other.attemptId], 600);
    });
    const leases = (await outbox.rows.attempts()).map((row) => Number(row.lease_in_ms) > 500_000);
    expect(leases).toEqual([false, true]);
  });

  test('that ran out is taken back with the missing result, in doubt, without its attempt and due at once', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(2));
    const batch = await mustClaim();
    expect(await takeBackExpired(db())).toEqual({ attempts: 0, records: 0 });
    await outbox.rows.expireLeases();
    expect(await takeBackExpired(db())).toEqual({ attempts: 1, records: 2 });
    for (const row of await outbox.rows.all()) {
      expect(row).toMatchObject({ state: 'pending', in_doubt: true, claims: 1, attempts: 0, attempt_id: null });
      expect(Number(row.due_in_ms)).toBeLessThanOrEqual(0);
    }
    expect((await outbox.rows.log()).map(({ verdict, reason, late }) => [verdict, reason, late])).toEqual([
      ['in-doubt', 'lease-expired', false],
      ['in-doubt', 'lease-expired', false],
    ]);
    expect(await outbox.rows.attempts()).toEqual([
      expect.objectContaining({ id: batch.attemptId, outcome: 'lost', record_ids: null }),
    ]);
    expect((await mustClaim()).records.map(({ inDoubtBefore }) => inDoubtBefore)).toEqual([true, true]);
  });

  test('that ran out leaves alone what another attempt has by now', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(2));
    const batch = await mustClaim();
    const [one, two] = batch.records;
    await db().query('update record_state set attempt_id = 4711 where record_id = $1', [two?.id]);
    await outbox.rows.expireLeases();
    expect(await takeBackExpired(db())).toEqual({ attempts: 1, records: 1 });
    expect((await outbox.rows.all()).map(({ state, attempt_id }) => [state, attempt_id])).toEqual([
      ['pending', null],
      ['sending', '4711'],
    ]);
    expect((await outbox.rows.log()).map((row) => row.record_id)).toEqual([one?.id]);
  });

  test('is taken back once, however many look at the same time', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(50));
    for (let n = 0; n < 5; n += 1) await mustClaim({ limit: 10 });
    await outbox.rows.expireLeases();
    const taken = await Promise.all(Array.from({ length: 4 }, () => takeBackExpired(db())));
    expect(taken.reduce((sum, { records }) => sum + records, 0)).toBe(50);
    expect(await outbox.rows.log()).toHaveLength(50);
  });

  test('is taken back for no more attempts than the limit at a time', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(5));
    for (let n = 0; n < 5; n += 1) await mustClaim({ limit: 1 });
    await outbox.rows.expireLeases();
    const taken = [await takeBackExpired(db(), 3), await takeBackExpired(db(), 3), await takeBackExpired(db(), 3)];
    expect(taken.map(({ attempts }) => attempts)).toEqual([3, 2, 0]);
  });
});

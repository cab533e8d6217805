import { extendLease, takeBackExpired } from '../../../src/outbox/settle';
import { OutboxSetting } from '../../support/outbox-setting';

describe('a lease of the outbox', () => {
  const outbox = new OutboxSetting();
  const { db, mustClaim } = outbox;

  test('is renewed only where the attempt still holds the record', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(2));
    const batch = await mustClaim({ leaseSeconds: 5 });
    const [taken] = batch.records;
    await db().query(`update amlyze_record set lease_until = now() - interval '1 second' where id = $1`, [taken?.id]);
    await takeBackExpired(db());
    const other = await mustClaim({ leaseSeconds: 5 });
    await extendLease(db(), batch, 600);
    const leases = new Map((await outbox.rows.all()).map((row) => [row.id, Number(row.lease_in_ms)]));
    expect(leases.get(other.records[0]?.id ?? '')).toBeLessThanOrEqual(5_000);
    expect(leases.get(batch.records[1]?.id ?? '')).toBeGreaterThan(500_000);
    expect(await takeBackExpired(db())).toBe(0);
  });

  test('is renewed without waiting for a settle that holds the rows, so that the two cannot deadlock', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(2));
    const batch = await mustClaim();
    await db().transaction(async (tx) => {
      await tx.query('select id from amlyze_record where id = $1 for update', [batch.records[0]?.id]);
      await extendLease(db(), batch, 600);
    });
    const leases = (await outbox.rows.all()).map((row) => Number(row.lease_in_ms) > 500_000);
    expect(leases).toEqual([false, true]);
  });

  test('that ran out is taken back with the missing result, in doubt, under a higher epoch and due at once', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(2));
    const batch = await mustClaim();
    expect(await takeBackExpired(db())).toBe(0);
    await outbox.rows.expireLeases();
    expect(await takeBackExpired(db())).toBe(2);
    for (const row of await outbox.rows.all()) {
      expect(row).toMatchObject({ state: 'pending', in_doubt: true, epoch: '2', attempts: 0, attempt_id: null });
      expect(Number(row.due_in_ms)).toBeLessThanOrEqual(0);
    }
    expect((await outbox.rows.log()).map(({ verdict, reason, late }) => [verdict, reason, late])).toEqual([
      ['in-doubt', 'lease-expired', false],
      ['in-doubt', 'lease-expired', false],
    ]);
    expect(await outbox.rows.attempts()).toEqual([expect.objectContaining({ id: batch.attemptId, outcome: 'lost' })]);
    expect((await mustClaim()).records.map(({ inDoubtBefore }) => inDoubtBefore)).toEqual([true, true]);
  });

  test('is taken back once, however many look at the same time', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(50));
    await mustClaim();
    await outbox.rows.expireLeases();
    const taken = await Promise.all(Array.from({ length: 4 }, () => takeBackExpired(db())));
    expect(taken.reduce((sum, n) => sum + n, 0)).toBe(50);
    expect(await outbox.rows.log()).toHaveLength(50);
  });

  test('is taken back no more than the limit at a time', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(5));
    await mustClaim();
    await outbox.rows.expireLeases();
    expect([await takeBackExpired(db(), 3), await takeBackExpired(db(), 3), await takeBackExpired(db(), 3)]).toEqual([
      3, 2, 0,
    ]);
  });
});

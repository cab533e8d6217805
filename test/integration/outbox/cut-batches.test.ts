import { claimGroup } from '../../../src/outbox/claim';
import { cutInTwo, type Settlement } from '../../../src/outbox/settle';
import { settle } from '../../support/settle';
import { OutboxSetting, REQUEST, numbersOf } from '../../support/outbox-setting';

describe('a batch that was cut in two', () => {
  const outbox = new OutboxSetting();
  const { db, claim, mustClaim } = outbox;

  async function cut(): Promise<{ halves: [string[], string[]] }> {
    await outbox.rows.enqueue(await outbox.rows.accounts(4));
    const batch = await mustClaim();
    const groups = await cutInTwo(db(), undefined, 'bad-request');
    await settle(
      db(),
      batch.attemptId,
      batch.records.map((record, index) => ({
        record,
        state: 'pending',
        inDoubt: false,
        verdict: 'refused',
        delayMs: 0,
        groupId: groups[index < 2 ? 0 : 1],
      })),
      { outcome: 'refused' },
    );
    const numbers = batch.records.map(({ communicationNumber }) => communicationNumber);
    return { halves: [numbers.slice(0, 2).sort(), numbers.slice(2).sort()] };
  }

  test('goes on as two groups that are claimed whole and stay out of ordinary claims', async () => {
    const { halves } = await cut();
    expect(await claim()).toBeUndefined();
    const first = await claimGroup(db(), REQUEST);
    const second = await claimGroup(db(), REQUEST);
    expect([numbersOf(first), numbersOf(second)]).toEqual(halves);
    expect([first?.group?.depth, second?.group?.depth]).toEqual([1, 1]);
    expect(first?.group?.rootId).toBe(second?.group?.rootId);
    expect(await claimGroup(db(), REQUEST)).toBeUndefined();
  });

  test('is left by a record that is given up: nobody looks for the rest of its part any more', async () => {
    await cut();
    const batch = await claimGroup(db(), REQUEST);
    if (!batch) throw new Error('no part was claimed');
    const [given] = batch.records;
    const settlements = batch.records.map((record): Settlement => ({
      record,
      state: record === given ? 'exhausted' : 'pending',
      reason: 'ATTEMPTS_EXHAUSTED',
      inDoubt: false,
      verdict: 'refused',
      groupId: batch.group?.id,
    }));
    await settle(db(), batch.attemptId, settlements, { outcome: 'refused' });
    const rows = await db().query<{ id: string; batch_group: string | null }>(
      'select id, batch_group from record_with_state where id = any($1) order by id',
      [batch.records.map(({ id }) => id)],
    );
    expect(rows.map((row) => [row.id === given?.id, row.batch_group])).toEqual([
      [true, null],
      [false, batch.group?.id],
    ]);
  });

  test('counts its depth from the first cut', async () => {
    await cut();
    const first = await claimGroup(db(), REQUEST);
    await cutInTwo(db(), first?.group, 'bad-request');
    const groups = await db().query<{ depth: number; root_id: string }>(
      'select depth, root_id from delivery_group order by depth',
    );
    expect(groups.map(({ depth }) => depth)).toEqual([0, 1, 1, 2, 2]);
    expect(new Set(groups.map((group) => group.root_id)).size).toBe(1);
  });

  test('is never torn apart by claimers that come at the same time', async () => {
    const accounts = await outbox.rows.accounts(400);
    await outbox.rows.enqueue(accounts);
    const groups = await cutInTwo(db(), undefined, 'bad-request');
    for (let round = 0; round < 5; round += 1) {
      await db().query(
        `update record_state set state = 'pending', attempt_id = null, next_attempt_at = now(), batch_group = $1`,
        [groups[0]],
      );
      const claims = await Promise.all(Array.from({ length: 4 }, () => claimGroup(db(), REQUEST)));
      expect(claims.filter(Boolean).map((batch) => batch?.records.length)).toEqual([400]);
    }
  });

  test('waits as a whole where another claimer is at it', async () => {
    const { halves } = await cut();
    const [one] = halves[0];
    await db().transaction(async (tx) => {
      await tx.query(
        'select id from delivery_group where id = (select batch_group from record_with_state where communication_number = $1) for update',
        [one],
      );
      expect(numbersOf(await claimGroup(db(), REQUEST))).toEqual(halves[1]);
    });
    expect(numbersOf(await claimGroup(db(), REQUEST))).toEqual(halves[0]);
  });

  test('lets a probe ask for the part that did not fail last', async () => {
    const { halves } = await cut();
    const failed = await Promise.all(halves[0].map(async (number) => (await outbox.rows.one(number)).id));
    expect(numbersOf(await claimGroup(db(), { ...REQUEST, exceptIds: failed }))).toEqual(halves[1]);
    expect(await claimGroup(db(), { ...REQUEST, exceptIds: failed })).toBeUndefined();
    expect(numbersOf(await claimGroup(db(), REQUEST))).toEqual(halves[0]);
  });
});

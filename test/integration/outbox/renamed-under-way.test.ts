import { holdOutdated } from '../../../src/accounts/pending-records';
import type { Settlement } from '../../../src/outbox/settle';
import { OutboxSetting } from '../../support/outbox-setting';

const UNSENT = { state: 'pending', verdict: 'not-sent', verdictReason: 'no byte left' } as const;

describe('a record whose account gets another name at AMLYZE while it is under way', () => {
  const outbox = new OutboxSetting();

  const rename = (accountId: string, accountExtId: string): Promise<unknown> =>
    holdOutdated(outbox.db(), accountId, { accountExtId, businessUnit: undefined });

  /** What it has become by then. */
  async function afterwards(settlement: Partial<Settlement>, names: readonly string[] = ['B']): Promise<unknown> {
    const [accountId = ''] = await outbox.rows.accounts(1);
    await outbox.rows.enqueue([accountId]);
    const batch = await outbox.mustClaim();
    for (const name of names) await rename(accountId, name);
    await outbox.settleAll(batch, settlement);
    return outbox.rows.one();
  }

  test('is held where it comes back without having got there: to the former one it never goes', async () => {
    const [group] = await outbox
      .db()
      .query<{ id: string }>(
        `insert into delivery_group (id, root_id, depth, cause) values (7, 7, 0, 'bad-request') returning id`,
      );
    expect(await afterwards({ ...UNSENT, groupId: group?.id })).toMatchObject({
      state: 'held',
      reason: 'ACCOUNT_CHANGED',
      in_doubt: false,
      batch_group: null,
      due_in_ms: null,
      attempt_id: null,
    });
    expect(await outbox.claim()).toBeUndefined();
  });

  test('goes on where AMLYZE may have it', async () => {
    expect(await afterwards({ ...UNSENT, verdict: 'in-doubt', inDoubt: true })).toMatchObject({
      state: 'pending',
      reason: null,
      in_doubt: true,
    });
  });

  test("is what AMLYZE's answer says", async () => {
    expect(await afterwards({})).toMatchObject({ state: 'accepted', reason: null });
  });

  test('goes on where the account has its name again before it comes back', async () => {
    expect(await afterwards(UNSENT, ['B', 'A1'])).toMatchObject({ state: 'pending', reason: null });
    expect(await outbox.claim()).toBeDefined();
  });

  test('lets what waits behind it in its series go at once', async () => {
    const [accountId = ''] = await outbox.rows.accounts(1);
    const [first = '', second = ''] = [
      ...(await outbox.rows.enqueue([accountId])),
      ...(await outbox.rows.enqueue([accountId], { balanceAt: '2026-03-06T06:00:00.000Z', accountExtId: 'B' })),
    ];
    const batch = await outbox.mustClaim();
    await outbox.claim();
    expect(await rename(accountId, 'B')).toEqual({ recordsHeld: 0, recordsUnderWay: 1 });
    await outbox.settleAll(batch, UNSENT);
    expect((await outbox.rows.one(first)).state).toBe('held');
    const [next] = (await outbox.mustClaim()).records;
    expect(next?.communicationNumber).toBe(second);
  });
});

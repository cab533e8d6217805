import { OutboxSetting } from '../../support/outbox-setting';

describe('the tables of the outbox refuse', () => {
  const outbox = new OutboxSetting();
  const { db, mustClaim, settleAll } = outbox;

  test.each([
    [`update delivery_result set verdict = 'accepted'`],
    ['delete from delivery_result'],
    ['truncate delivery_result cascade'],
    ['truncate delivery_attempt cascade'],
    ['delete from delivery_attempt'],
    [`update delivery_attempt set outcome = 'answered'`],
    ['update delivery_attempt set finished_at = null, outcome = null'],
  ])('to change the log: %s', async (sql) => {
    await outbox.rows.enqueue(await outbox.rows.accounts(1));
    await settleAll(await mustClaim(), { state: 'held', reason: 'COLLISION', verdict: 'held' });
    const log = [await outbox.rows.log(), await outbox.rows.attempts()];
    await expect(db().query(sql)).rejects.toThrow(/refused/);
    expect([await outbox.rows.log(), await outbox.rows.attempts()]).toEqual(log);
  });

  test.each([
    [`state = 'sent', next_attempt_at = null`, 'amlyze_record_state'],
    [`state = 'sending', next_attempt_at = null`, 'amlyze_record_claimed'],
    [`lease_until = now()`, 'amlyze_record_claimed'],
    [`state = 'accepted', next_attempt_at = null`, 'amlyze_record_settled'],
    [`settled_at = now()`, 'amlyze_record_settled'],
    [`next_attempt_at = null`, 'amlyze_record_due'],
    [`state = 'held', next_attempt_at = null, settled_at = now()`, 'amlyze_record_explained'],
    [`state = 'rejected', next_attempt_at = null, settled_at = now()`, 'amlyze_record_explained'],
    [`state = 'exhausted', next_attempt_at = null, settled_at = now()`, 'amlyze_record_explained'],
    [`state = 'accepted', next_attempt_at = null, settled_at = now(), in_doubt = true`, 'amlyze_record_accepted_sure'],
    [`state = 'accepted', settled_at = now()`, 'amlyze_record_due'],
    [`supersedes = 'other'`, 'amlyze_record_supersedes'],
    [`value = null`, 'amlyze_record_balance_whole'],
    [`communication_number = repeat('x', 256)`, 'amlyze_record_number_length'],
    [`communication_number = ''`, 'amlyze_record_number_length'],
  ])('a record that cannot be: %s', async (change, constraint) => {
    await outbox.rows.enqueue(await outbox.rows.accounts(1));
    await expect(db().query(`update amlyze_record set ${change}`)).rejects.toMatchObject({ constraint });
  });

  test('a number that another record has', async () => {
    const [number] = await outbox.rows.enqueue(await outbox.rows.accounts(1));
    if (!number) throw new Error('no record');
    await expect(
      outbox.rows.enqueue(await outbox.rows.accounts(1, 'B'), { communicationNumber: number }),
    ).rejects.toMatchObject({
      constraint: 'amlyze_record_number_unique',
    });
  });
});

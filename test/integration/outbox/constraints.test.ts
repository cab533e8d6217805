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
    [`state = 'sent', next_attempt_at = null`, 'record_state_state'],
    [`state = 'sending'`, 'record_state_claimed'],
    [`attempt_id = 1`, 'record_state_claimed'],
    [`state = 'accepted', next_attempt_at = null`, 'record_state_settled'],
    [`settled_at = now()`, 'record_state_settled'],
    [`next_attempt_at = null`, 'record_state_due'],
    [`state = 'sending', attempt_id = 1, next_attempt_at = null`, 'record_state_due'],
    [`state = 'held', next_attempt_at = null, settled_at = now()`, 'record_state_explained'],
    [`state = 'rejected', next_attempt_at = null, settled_at = now()`, 'record_state_explained'],
    [`state = 'exhausted', next_attempt_at = null, settled_at = now()`, 'record_state_explained'],
    [`state = 'accepted', next_attempt_at = null, settled_at = now(), in_doubt = true`, 'record_state_accepted_sure'],
    [`state = 'accepted', settled_at = now()`, 'record_state_due'],
    [`card_data = 'gone'`, 'record_state_card_data'],
    [`card_data = 'shredded'`, 'record_state_sendable'],
  ])('a state that cannot be: %s', async (change, constraint) => {
    await outbox.rows.enqueue(await outbox.rows.accounts(1));
    await expect(db().query(`update record_state set ${change}`)).rejects.toMatchObject({ constraint });
  });

  test.each([
    [`finished_at = now(), outcome = 'answered'`],
    [`finished_at = now(), outcome = 'answered', lease_until = null`],
    ['lease_until = null'],
    ['record_ids = null'],
  ])('an attempt that is half a claim: %s', async (change) => {
    await outbox.rows.enqueue(await outbox.rows.accounts(1));
    await mustClaim();
    const constraint = 'delivery_attempt_claims';
    await expect(db().query(`update delivery_attempt set ${change}`)).rejects.toMatchObject({ constraint });
  });

  test.each([
    [{ supersedes: `'other'` }, 'amlyze_record_supersedes'],
    [{ value: 'null' }, 'amlyze_record_balance_whole'],
    [{ account_id: 'null' }, 'amlyze_record_balance_whole'],
    [{ communication_number: `repeat('x', 256)` }, 'amlyze_record_number_length'],
    [{ communication_number: `''` }, 'amlyze_record_number_length'],
  ])('a record that cannot be: %j', async (change, constraint) => {
    const [accountId] = await outbox.rows.accounts(1);
    const row = {
      communication_number: `'n-1'`,
      kind: `'balance'`,
      account_id: accountId,
      account_ext_id: `'A1'`,
      balance_type: `'B'`,
      balance_at: 'now()',
      value: '1',
      payload: `'{}'`,
      ...change,
    };
    const sql = `insert into amlyze_record (${Object.keys(row).join(', ')}) values (${Object.values(row).join(', ')})`;
    await expect(db().query(sql)).rejects.toMatchObject({ constraint });
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

import type { Queryable } from '../../src/shared/database';
import { addMyposAccount, readNow } from '../support/bank-accounts';
import { eventually } from '../support/eventually';
import { registerMypos, type Json } from '../support/gateway';
import { RecordsSetting } from '../support/records-setting';

const LATER = '2026-03-06T06:00:00.000Z';
const REASON = 'the id was that of another customer';

describe('an account that gets another name at AMLYZE', () => {
  const operator = new RecordsSetting();
  const { account, put, leave, requeue, record, resume, over } = operator;

  const rename = (id: string, accountExtId: string): Promise<Json> =>
    operator.gateway.ok('PATCH', `/admin/accounts/${id}`, { accountExtId, reason: REASON });

  const explain = (number: string): Promise<Json> => operator.gateway.ok('GET', `/admin/records/${number}`);

  /** Makes a call while `work` is done but not committed. */
  async function during<T>(work: (tx: Queryable) => Promise<unknown>, call: () => Promise<T>): Promise<T> {
    const { answer } = await operator.database.transaction(async (tx) => {
      await work(tx);
      const asked = call();
      await eventually('the call waits', async () => {
        const rows = await operator.database.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows.length > 0;
      });
      return { answer: asked };
    });
    return answer;
  }

  test('keeps what was never sent from the former one, leaves alone what AMLYZE may have, and says how many', async () => {
    const id = await account();
    const settled = await leave(await put(id), 'rejected');
    const sending = await leave(await put(id, { balanceType: 'A' }), 'sending', { inDoubt: true });
    const doubtful = await leave(await put(id, { balanceType: 'B' }), 'pending', { inDoubt: true });
    const waiting = [await put(id, { balanceAt: LATER }), await put(id, { balanceType: 'C' })];
    const other = await put(await account());

    const name = `${operator.accountExtId}-right`;
    expect(await rename(id, name)).toMatchObject({ accountExtId: name, recordsHeld: 2, recordsUnderWay: 2 });
    const states = await Promise.all([settled, sending, doubtful, ...waiting, other].map(async (n) => record(n)));
    expect(states.map(({ state, reason }) => [state, reason])).toEqual([
      ['rejected', 'SOMETHING'],
      ['sending', 'ACCOUNT_CHANGED'],
      ['pending', null],
      ['held', 'ACCOUNT_CHANGED'],
      ['held', 'ACCOUNT_CHANGED'],
      ['pending', null],
    ]);
    const [entry] = await operator.database.query('select reason, detail from audit_entry where target = $1', [
      `account:${id}`,
    ]);
    expect(entry).toEqual({ reason: REASON, detail: { accountExtId: name, recordsHeld: 2, recordsUnderWay: 2 } });
    expect((await explain(waiting[0] ?? '')).steps).toContainEqual({
      rule: 'record',
      text: expect.stringMatching(
        new RegExp(`^held, for AMLYZE has not got it: it is for R.*audit_entry \\(target account:${id}\\)$`),
      ),
    });
    await leave(sending, 'rejected');
    await leave(doubtful, 'rejected');
  });

  test('holds nothing for the name that it has already, nor for another change', async () => {
    const id = await account();
    const number = await put(id);
    expect(await rename(id, operator.accountExtId)).toMatchObject({ recordsHeld: 0, recordsUnderWay: 0 });
    expect(await operator.gateway.ok('PATCH', `/admin/accounts/${id}`, { pinnedType: null })).toMatchObject({
      recordsHeld: 0,
      recordsUnderWay: 0,
    });
    expect(await record(number)).toMatchObject({ state: 'pending' });
  });

  test('gets its balance under the new one at the next read, and nobody else does', async () => {
    const scene = { gateway: operator.gateway, outside: operator.outside };
    const { consentId } = await registerMypos(operator.gateway, operator.outside);
    const added = await addMyposAccount(scene, consentId, { amount: '7.00', currency: 'EUR' });
    await readNow(operator.gateway, [added]);
    const name = `${added.accountExtId}-right`;
    await operator.outside.amlyze.putAccounts([{ accountExtId: name }]);
    expect(await rename(added.id, name)).toMatchObject({ recordsHeld: 1 });
    const [reading] = await readNow(operator.gateway, [added]);
    await resume();
    expect(await over(reading.communicationNumber)).toMatchObject({ state: 'accepted', account_ext_id: name });
    expect(await operator.outside.amlyze.ledger(added.accountExtId)).toEqual([]);
  });

  test('a held record is requeued for the new one under a new number only, and by its own after a PATCH back', async () => {
    const id = await account();
    const before = operator.accountExtId;
    const [first, second] = [await put(id), await put(id, { balanceType: 'DAILY_BALANCE' })];
    const name = `${before}-right`;
    await rename(id, name);
    const refused = await requeue(first, { reason: REASON, confirmDouble: true, confirmOlder: true });
    expect([refused.status, refused.body.detail]).toEqual([
      409,
      `The record is for ${before}, and AMLYZE has this account as ${name} now; send newNumber: true, which makes it for that one.`,
    ]);
    const { communicationNumber: next } = (await requeue(first, { reason: REASON, newNumber: true })).body;
    const made = await record(next);
    expect(made).toMatchObject({ state: 'pending', account_ext_id: name });
    expect(JSON.parse(made.payload)).toMatchObject({ accountExtId: name, communicationNumber: next });
    expect((await explain(next)).steps).toContainEqual({
      rule: 'record',
      text: expect.stringContaining(`under a number of its own, for ${name} as AMLYZE has the account now`),
    });

    expect(await rename(id, before)).toMatchObject({ recordsHeld: 1 });
    expect((await requeue(second, { reason: REASON })).body).toEqual({ communicationNumber: second });
  });

  test('what is in doubt may be requeued as it is: only its own number can tell whether AMLYZE has it', async () => {
    const id = await account();
    const number = await leave(await put(id), 'exhausted', { inDoubt: true });
    await rename(id, `${operator.accountExtId}-right`);
    expect((await requeue(number)).status).toBe(200);
    await leave(number, 'rejected');
  });

  test('waits for a reading that is being recorded under the former one, and holds its record too', async () => {
    const id = await account();
    const number = await leave(await put(id), 'rejected');
    const answer = await during(
      async (tx) => {
        // As the writer of readings does before it looks at the account; what it records comes into sight with its commit.
        await tx.query(
          'update access_subject set last_read_at = now() where id = (select subject_id from account where id = $1)',
          [id],
        );
        await tx.query(
          `update record_state set state = 'pending', reason = null, settled_at = null, next_attempt_at = now()
where record_id = (select id from amlyze_record where communication_number = $1)`,
          [number],
        );
      },
      () => rename(id, `${operator.accountExtId}-right`),
    );
    expect(answer).toMatchObject({ recordsHeld: 1, recordsUnderWay: 0 });
  });

  test('counts what is claimed at the same moment as under way', async () => {
    const id = await account();
    const number = await put(id);
    const answer = await during(
      (tx) =>
        tx.query(
          `update record_state set state = 'sending', in_doubt = true, attempt_id = 1
where record_id = (select id from amlyze_record where communication_number = $1)`,
          [number],
        ),
      () => rename(id, `${operator.accountExtId}-right`),
    );
    expect(answer).toMatchObject({ recordsHeld: 0, recordsUnderWay: 1 });
    expect(await record(number)).toMatchObject({ state: 'sending', reason: 'ACCOUNT_CHANGED' });
    await leave(number, 'rejected');
  });

  test('is seen by a requeue that came while it was being renamed', async () => {
    const id = await account();
    const number = await leave(await put(id), 'rejected');
    const { status, body } = await during(
      async (tx) => {
        await tx.query('select from account where id = $1 for update', [id]);
        await tx.query(`update account set account_ext_id = account_ext_id || '-right' where id = $1`, [id]);
      },
      () => requeue(number, { reason: REASON }),
    );
    expect([status, body.detail]).toEqual([409, expect.stringContaining('newNumber')]);
  });
});

import { communicationNumber } from '../../../src/amlyze/communication-number';
import { enqueueBalances } from '../../../src/outbox/enqueue';
import type { Queryable } from '../../../src/shared/database';
import { eventually } from '../../support/eventually';
import type { Json } from '../../support/gateway';
import { INSTANT } from '../../support/outbox-rows';
import { RecordsSetting } from '../../support/records-setting';

const LATER = '2026-03-06T06:00:00.000Z';
const REASON = 'the account is registered at AMLYZE now';

describe('a requeue, and what happens at the same moment', () => {
  const operator = new RecordsSetting();
  const { account, put, leave, requeue, record, audit } = operator;

  /** Asks for a requeue while `work` is done but not committed. */
  async function requeueDuring(
    number: string,
    body: object,
    work: (tx: Queryable) => Promise<unknown>,
  ): Promise<{ status: number; body: Json }> {
    const { answer } = await operator.database.transaction(async (tx) => {
      await work(tx);
      const asked = requeue(number, body);
      await somebodyWaits();
      return { answer: asked };
    });
    return answer;
  }

  const somebodyWaits = (): Promise<unknown> =>
    eventually('the requeue waits', async () => {
      const rows = await operator.database.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length > 0;
    });

  test('the claim of a newer balance: the older one needs confirmOlder', async () => {
    const accountId = await account();
    const older = await leave(await put(accountId), 'held');
    const newer = await put(accountId, { balanceAt: LATER });
    const { status, body } = await requeueDuring(older, { reason: REASON }, (tx) =>
      tx.query(
        `update record_state set state = 'sending', in_doubt = true, attempt_id = 1
where record_id = (select id from amlyze_record where communication_number = $1)`,
        [newer],
      ),
    );
    expect([status, body.detail]).toEqual([409, expect.stringMatching(new RegExp(`${newer}.*confirmOlder`))]);
    expect(await record(older)).toMatchObject({ state: 'held' });
    await leave(newer, 'rejected');
  });

  test("the bank's restatement, which makes the same revision: a new number is refused in words", async () => {
    const accountId = await account();
    const number = await leave(await put(accountId), 'rejected');
    const { status, body } = await requeueDuring(number, { reason: REASON, newNumber: true }, (tx) =>
      restate(tx, number, accountId),
    );
    expect([status, body.detail]).toEqual([
      409,
      'The record has been superseded by a later revision; requeue that one.',
    ]);
    expect(await audit(number)).toEqual([]);
  });

  test('another name for the account: a record that waits is locked behind its account, so that nobody waits in a circle', async () => {
    const accountId = await account();
    const number = await put(accountId);
    const { answer } = await operator.database.transaction(async (tx) => {
      // As a PATCH of accountExtId does: the account, then what waits under its former name.
      await tx.query('select from account where id = $1 for update', [accountId]);
      const asked = requeue(number);
      await somebodyWaits();
      await tx.query('select from record_state where account_id = $1 for update nowait', [accountId]);
      return { answer: asked };
    });
    expect((await answer).status).toBe(409);
  });

  test('a later revision that was never sent waits behind an earlier one that goes out too', async () => {
    const accountId = await account();
    const number = await leave(await put(accountId), 'rejected');
    await operator.database.transaction((tx) => restate(tx, number, accountId));
    expect((await requeue(number, { reason: REASON, confirmDouble: true })).status).toBe(200);
    const [later] = await operator.database.query(
      `select next_attempt_at > now() as waits from record_state where account_id = $1 and revision = 2`,
      [accountId],
    );
    expect(later).toEqual({ waits: true });
  });

  /** The number of a revision is made of the fact, so that whoever makes it makes the same one. */
  async function restate(tx: Queryable, number: string, accountId: string): Promise<void> {
    const [known] = await tx.query<{ installation: string; reading: string }>(
      `select i.id as installation, r.reading_id as reading from installation i, amlyze_record r where r.communication_number = $1`,
      [number],
    );
    if (!known) throw new Error('no record');
    const balance = { accountId, balanceType: 'STATEMENT_BALANCE', balanceAt: INSTANT, key: INSTANT, revision: 2 };
    await enqueueBalances(tx, [
      {
        ...balance,
        communicationNumber: communicationNumber({
          prefix: 'obg-',
          installationId: known.installation,
          kind: 'balance',
          date: INSTANT.slice(0, 10),
          key: `${accountId}|STATEMENT_BALANCE|${INSTANT}`,
          revision: 2,
        }),
        accountExtId: operator.accountExtId,
        businessUnit: undefined,
        readingId: known.reading,
        runId: undefined,
        value: '13.00',
        supersedes: { communicationNumber: number, reason: 'bank-restatement' },
        payload: '{}',
        settingsHash: 'settings',
      },
    ]);
  }
});

describe('a requeue by filter that cannot end as it began', () => {
  const operator = new RecordsSetting();
  const { account, put, leave, record, audit } = operator;

  async function three(accountId: string, more: object = {}): Promise<[string, string, string]> {
    const numbers: string[] = [];
    for (const day of ['01', '02', '03']) {
      const balance = { balanceAt: `2026-03-${day}T06:00:00.000Z`, ...(day === '02' && more) };
      numbers.push(await leave(await put(accountId, balance), 'rejected'));
    }
    const [first, second, third] = numbers;
    if (!first || !second || !third) throw new Error('a record is missing');
    return [first, second, third];
  }

  test('goes on behind a record that the gateway fails on, and names it', async () => {
    const accountId = await account();
    const [first, strange, third] = await three(accountId, { communicationNumber: 'from elsewhere' });
    const answer = await operator.gateway.ok('POST', '/admin/records/requeue', {
      accountId,
      reason: REASON,
      newNumber: true,
    });
    expect(answer).toEqual({
      requeued: 2,
      refused: [{ communicationNumber: strange, detail: expect.stringContaining('The log has the cause') }],
      more: false,
    });
    expect([(await audit(first)).length, (await audit(strange)).length, (await audit(third)).length]).toEqual([
      1, 0, 1,
    ]);
  });

  test('answers what it has done where the database goes away in between, and that there is more', async () => {
    const accountId = await account();
    const [first, second, third] = await three(accountId);
    const { id } = await record(second);
    await operator.database.query(`create function gone() returns trigger language plpgsql as $$
begin raise exception 'canceling statement due to lock timeout' using errcode = '55P03'; end $$`);
    await operator.database.query(
      `create trigger gone before update on record_state for each row when (new.record_id = ${id}) execute function gone()`,
    );
    const body = { accountId, reason: REASON };
    try {
      expect(await operator.gateway.ok('POST', '/admin/records/requeue', body)).toEqual({
        requeued: 1,
        refused: [],
        more: true,
      });
      // Nothing of the second call was done, so it may say so.
      expect((await operator.gateway.call('POST', '/admin/records/requeue', body)).status).toBe(503);
    } finally {
      await operator.database.query('drop function gone cascade');
    }
    const states = await Promise.all([first, second, third].map(async (number) => (await record(number)).state));
    expect(states).toEqual(['pending', 'rejected', 'rejected']);
    expect(await operator.gateway.ok('POST', '/admin/records/requeue', body)).toMatchObject({
      requeued: 2,
      more: false,
    });
  });
});

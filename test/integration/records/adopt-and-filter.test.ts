import { RecordsSetting } from '../../support/records-setting';

const LATER = '2026-03-06T06:00:00.000Z';
const REASON = 'the account is registered at AMLYZE now';

describe('records that an operator moves', () => {
  const operator = new RecordsSetting();
  const { account, put, settled, leave, record, resume, over, audit } = operator;

  describe('adopt', () => {
    test('makes a held record accepted, with reason and evidence in the trail', async () => {
      const number = await settled('held', { reason: 'COLLISION', inDoubt: true });
      const body = { reason: 'sent by the environment before', evidence: 'AMLYZE console, ticket OPS-17' };
      expect((await operator.gateway.call('POST', `/admin/records/${number}/adopt`, body)).status).toBe(200);
      expect(await record(number)).toMatchObject({ state: 'accepted', reason: 'adopted', in_doubt: false });
      expect(await audit(number)).toEqual([
        expect.objectContaining({
          action: 'record.adopt',
          reason: body.reason,
          detail: { evidence: body.evidence },
        }),
      ]);
    });

    test.each(['pending', 'sending', 'accepted', 'rejected', 'exhausted'])('refuses a %s record', async (state) => {
      const number = await settled(state);
      const answer = await operator.gateway.call('POST', `/admin/records/${number}/adopt`, {
        reason: 'x',
        evidence: 'y',
      });
      expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining(`is ${state}`)]);
      expect(await record(number)).toMatchObject({ state });
      expect(await audit(number)).toEqual([]);
    });

    test.each([{}, { reason: 'x' }, { evidence: 'y' }, { reason: '', evidence: 'y' }])(
      'refuses the body %j',
      async (body) => {
        const number = await settled('held');
        expect((await operator.gateway.call('POST', `/admin/records/${number}/adopt`, body)).status).toBe(400);
        expect(await record(number)).toMatchObject({ state: 'held' });
      },
    );
  });

  describe('requeue by filter', () => {
    test('takes the records that match, names the ones that it refused, and writes one entry for each', async () => {
      const accountId = await account();
      const numbers: string[] = [];
      for (const [index, state] of ['held', 'rejected', 'exhausted', 'accepted'].entries()) {
        numbers.push(await leave(await put(accountId, { balanceAt: `2026-03-0${index + 1}T06:00:00.000Z` }), state));
      }
      const refused = await operator.gateway.ok('POST', '/admin/records/requeue', { accountId, reason: REASON });
      expect(refused).toEqual({
        requeued: 0,
        refused: numbers.slice(0, 3).map((communicationNumber) => ({
          communicationNumber,
          detail: expect.stringContaining('confirmOlder'),
        })),
        more: false,
      });
      const answer = await operator.gateway.ok('POST', '/admin/records/requeue', {
        accountId,
        state: 'rejected',
        reason: REASON,
        confirmOlder: true,
      });
      expect(answer).toEqual({ requeued: 1, refused: [], more: false });
      const states = await Promise.all(numbers.map(async (number) => (await record(number)).state));
      expect(states).toEqual(['held', 'pending', 'exhausted', 'accepted']);
      expect(await audit(numbers[1] ?? '')).toHaveLength(1);
      expect(await audit(numbers[0] ?? '')).toEqual([]);
    });

    test('looks at each record once, also at one that AMLYZE refuses while the request goes on', async () => {
      const accountId = await account();
      const number = await leave(await put(accountId), 'held');
      // As if it were sent and refused in no time.
      await operator.database.query(`create function refuse_at_once() returns trigger language plpgsql as $$
begin
  new.state = 'rejected'; new.reason = 'BUSINESS_REJECTION'; new.next_attempt_at = null; new.settled_at = clock_timestamp();
  return new;
end $$`);
      await operator.database.query(`create trigger refuse_at_once before update on record_state for each row
when (new.state = 'pending' and old.state <> 'sending') execute function refuse_at_once()`);
      const answer = await operator.gateway
        .ok('POST', '/admin/records/requeue', { accountId, reason: REASON })
        .finally(() => operator.database.query('drop function refuse_at_once cascade'));
      expect(answer).toEqual({ requeued: 1, refused: [], more: false });
      expect(await record(number)).toMatchObject({ state: 'rejected' });
      expect(await audit(number)).toHaveLength(1);
    });

    test('filters by run and error code', async () => {
      const accountId = await account();
      const one = await leave(await put(accountId), 'rejected');
      await leave(await put(accountId, { balanceAt: LATER }), 'rejected');
      await operator.database.query(
        `update record_state set error_code = 'E99' where record_id = (select id from amlyze_record where communication_number = $1)`,
        [one],
      );
      const answer = await operator.gateway.ok('POST', '/admin/records/requeue', {
        accountId,
        errorCode: 'E99',
        reason: REASON,
      });
      expect(answer.requeued).toBe(1);
      expect(await record(one)).toMatchObject({ state: 'pending' });
    });

    test('with new numbers comes to an end: what went out under a new number is not offered again', async () => {
      const accountId = await account();
      for (const day of ['01', '02', '03']) {
        await leave(await put(accountId, { balanceAt: `2026-03-${day}T06:00:00.000Z` }), 'held', {
          reason: 'NUMBER_CONSUMED',
        });
      }
      const body = { accountId, state: 'held', reason: REASON, newNumber: true };
      expect(await operator.gateway.ok('POST', '/admin/records/requeue', body)).toMatchObject({
        requeued: 3,
        refused: [],
      });
      expect(await operator.gateway.ok('POST', '/admin/records/requeue', body)).toEqual({
        requeued: 0,
        refused: [],
        more: false,
      });
    });

    test('of everything at once is refused under new numbers, and nothing is sent', async () => {
      const number = await leave(await put(await account()), 'rejected');
      const { status, body } = await operator.gateway.call('POST', '/admin/records/requeue', {
        reason: REASON,
        newNumber: true,
      });
      expect(status).toBe(400);
      expect(body.errors).toEqual([
        { field: 'newNumber', message: 'needs a filter beside it: state, accountId, runId, errorCode' },
      ]);
      expect(await record(number)).toMatchObject({ state: 'rejected' });
    });

    test('without a reason takes the exhausted records and names those that need one', async () => {
      const accountId = await account();
      await leave(await put(accountId), 'exhausted');
      const held = await leave(await put(accountId, { balanceAt: '2026-03-06T06:00:00.000Z' }), 'held');
      expect(await operator.gateway.ok('POST', '/admin/records/requeue', { accountId })).toEqual({
        requeued: 1,
        refused: [
          { communicationNumber: held, detail: expect.stringMatching(/^A reason is required for a held record/) },
        ],
        more: false,
      });
    });

    test.each([{ state: 'accepted' }, { state: 'pending' }, { accountId: 'x' }, { reason: 1 }, { all: true }])(
      'refuses the body %j',
      async (body) => {
        expect((await operator.gateway.call('POST', '/admin/records/requeue', body)).status).toBe(400);
      },
    );
  });

  describe('POST /admin/amlyze/resume', () => {
    test('ends the pause at once, says what it resumed, and leaves a trace of who did it', async () => {
      const number = await put(await account());
      expect((await operator.gateway.ok('GET', '/health/ready')).details.delivery).toMatchObject({
        status: 'degraded',
        paused: true,
      });
      expect(await resume()).toEqual({ resumed: ['balances'] });
      expect(await over(number)).toMatchObject({ state: 'accepted' });
      const [entry] = await operator.database.query(
        `select action, detail from audit_entry where target = 'amlyze' order by id desc limit 1`,
      );
      expect(entry).toEqual({ action: 'amlyze.resume', detail: { resumed: ['balances'] } });
    });
  });
});

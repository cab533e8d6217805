import { businessKey } from '../../../src/sync/plan-records';
import { INSTANT } from '../../support/outbox-rows';
import { RecordsSetting } from '../../support/records-setting';

const LATER = '2026-03-06T06:00:00.000Z';
const REASON = 'the account is registered at AMLYZE now';

describe('a record that an operator puts back', () => {
  const operator = new RecordsSetting();
  const { account, put, settled, leave, requeue, record, resume, over, audit } = operator;

  describe('requeue with the same number', () => {
    test.each(['held', 'rejected', 'exhausted'])(
      'puts a %s record back: due at once, all attempts ahead, bytes as they were',
      async (state) => {
        const number = await settled(state, { inDoubt: true });
        const before = await record(number);
        await operator.database.query(
          `update record_state set attempts = 12 where record_id = (select id from amlyze_record where communication_number = $1)`,
          [number],
        );
        const answer = await requeue(number, { reason: REASON });
        expect([answer.status, answer.body]).toEqual([200, { communicationNumber: number }]);
        const after = await record(number);
        expect(after).toMatchObject({
          state: 'pending',
          reason: null,
          attempts: 0,
          in_doubt: true,
          payload: before.payload,
        });
        expect(Number(after.due_in_ms)).toBeLessThanOrEqual(0);
        expect(await audit(number)).toEqual([
          {
            actor: expect.any(String),
            action: 'record.requeue',
            reason: REASON,
            detail: { communicationNumber: number, newNumber: false, confirmDouble: false, confirmOlder: false },
          },
        ]);
        await resume();
        expect(await over(number)).toMatchObject({ state: 'accepted' });
      },
    );

    test('lets it wait from then on: what it waited before, settled or not, is not told as a backlog', async () => {
      const number = await settled('held');
      const old = `from amlyze_record r where r.id = s.record_id and r.communication_number = $1`;
      await operator.database.query(`update record_state s set created_at = now() - interval '2 days' ${old}`, [
        number,
      ]);
      await requeue(number, { reason: REASON });
      const [row] = await operator.database.query<{ waits: boolean; back: boolean }>(
        `select s.created_at > now() - interval '1 minute' as waits, s.created_at > r.created_at as back
from record_state s, lateral (select r.created_at ${old}) r`,
        [number],
      );
      expect(row).toEqual({ waits: true, back: true });
    });

    test('needs no reason for an exhausted record', async () => {
      expect((await requeue(await settled('exhausted'))).status).toBe(200);
    });

    test.each(['held', 'rejected'])('of a %s record needs a reason', async (state) => {
      const number = await settled(state);
      const answer = await requeue(number);
      expect([answer.status, answer.body.errors]).toEqual([
        400,
        [{ field: 'reason', message: expect.stringContaining(`is required for a ${state} record`) }],
      ]);
      expect(await record(number)).toMatchObject({ state });
      expect(await audit(number)).toEqual([]);
    });

    test.each(['pending', 'sending', 'accepted'])('refuses a record that is %s', async (state) => {
      const number = await settled(state);
      const answer = await requeue(number, { reason: REASON, confirmDouble: true, confirmOlder: true });
      expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining(`is ${state}`)]);
      expect(await audit(number)).toEqual([]);
    });

    test.each<[string, string, boolean]>([
      ['has been accepted', 'accepted', false],
      ['is under way', 'sending', true],
      ['may have arrived', 'pending', true],
    ])('needs confirmOlder where a newer balance of the series %s', async (_what, state, inDoubt) => {
      const accountId = await account();
      const older = await leave(await put(accountId), 'held');
      const newer = await leave(await put(accountId, { balanceAt: LATER }), state, { inDoubt });
      const refused = await requeue(older, { reason: REASON });
      expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining(newer)]);
      expect(refused.body.detail).toContain('confirmOlder');
      expect((await requeue(older, { reason: REASON, confirmOlder: true })).status).toBe(200);
      expect((await audit(older))[0]?.detail).toMatchObject({ confirmOlder: true });
      await leave(newer, 'rejected');
    });

    test('needs no confirmation where the newer balance has not gone out', async () => {
      const accountId = await account();
      const older = await leave(await put(accountId), 'held');
      await leave(await put(accountId, { balanceAt: LATER }), 'rejected');
      await put(accountId, { balanceAt: '2026-03-07T06:00:00.000Z' });
      expect((await requeue(older, { reason: REASON })).status).toBe(200);
    });

    test('of a record that went out again under a new number needs confirmDouble', async () => {
      const number = await settled('rejected');
      await requeue(number, { reason: REASON, newNumber: true });
      const refused = await requeue(number, { reason: REASON, confirmOlder: true });
      expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('confirmDouble')]);
      expect((await requeue(number, { reason: REASON, confirmDouble: true })).status).toBe(200);
    });

    test.each([{ reason: '' }, { reason: 5 }, { newNumber: 'yes' }, { confirmOlder: 1 }, { colour: 'red' }])(
      'refuses the body %j',
      async (body) => {
        expect((await requeue(await settled('exhausted'), body)).status).toBe(400);
      },
    );
  });

  describe('requeue with a new number', () => {
    test('makes the next revision: same value, same bytes but the number, naming what it supersedes', async () => {
      const accountId = await account();
      const number = await leave(await put(accountId, { value: '-0.100' }), 'held', { reason: 'NUMBER_CONSUMED' });
      const answer = await requeue(number, { reason: REASON, newNumber: true });
      expect(answer.status).toBe(200);
      const { communicationNumber: next } = answer.body;
      expect(next).not.toBe(number);
      expect(next).toMatch(/^obg-[0-9a-f]{12}-b-20260305-[0-9a-f]{32}$/);
      const [before, after] = [await record(number), await record(next)];
      expect(before).toMatchObject({ state: 'held', reason: 'NUMBER_CONSUMED' });
      expect(after.payload).toBe(before.payload.replace(number, next));
      expect(after).toMatchObject({ state: 'pending', in_doubt: false, attempts: 0 });
      expect(await operator.gateway.ok('GET', `/admin/records/${next}`)).toMatchObject({
        revision: 2,
        supersedes: number,
        supersedesReason: 'new-number',
        value: '-0.100',
        balanceAt: INSTANT,
        steps: [
          { rule: 'selection', text: 'the only one' },
          {
            rule: 'record',
            text: `revision 2 says the same as ${number} under a number of its own: an operator requeued that record, for the reason in audit_entry (target record:${number})`,
          },
        ],
      });
      expect(await operator.gateway.ok('GET', `/admin/records/${number}`)).toMatchObject({
        supersededBy: next,
        steps: [{ rule: 'selection', text: 'the only one' }],
      });
      expect(await audit(number)).toEqual([
        expect.objectContaining({
          reason: REASON,
          detail: { communicationNumber: next, newNumber: true, confirmDouble: false, confirmOlder: false },
        }),
      ]);
      await resume();
      expect(await over(next)).toMatchObject({ state: 'accepted', reason: null });
      expect(
        (await operator.outside.amlyze.ledger(operator.accountExtId)).map((entry) => [
          entry.communicationNumber,
          entry.value,
        ]),
      ).toEqual([[next, '-0.100']]);
    });

    test.each([
      ["the bank's instant", 'bank', null],
      ['a run', 'fetch', null],
      ['a slot', 'fetch', '2026-03-05T06:00:00.120Z'],
    ] as const)('finds the key of a balance that was recorded under %s', async (_, balanceAtSource, slot) => {
      const [run] = await operator.database.query<{ id: string }>(
        `insert into sync_run (trigger, slot, scope, finished_at)
values (case when $1::timestamptz is null then 'resync' else 'schedule' end, $1, '{"all":true}', now()) returning id`,
        [slot],
      );
      if (!run) throw new Error('no run');
      const key = businessKey(
        { balanceAtSource, balanceAt: INSTANT },
        { runId: run.id, slot: slot ? new Date(slot) : undefined },
      );
      const number = await leave(await put(await account(), { runId: run.id, key }), 'rejected');
      const { body, status } = await requeue(number, { reason: REASON, newNumber: true });
      expect([status, body.detail]).toEqual([200, undefined]);
      expect(
        await operator.database.query('select key, revision from record_key where communication_number = $1', [
          body.communicationNumber,
        ]),
      ).toEqual([{ key, revision: 2 }]);
    });

    test.each<[string, { reason: string; inDoubt?: boolean }]>([
      ['held', { reason: 'COLLISION' }],
      ['rejected', { reason: 'REJECTED_AFTER_DOUBT', inDoubt: true }],
      ['exhausted', { reason: 'ATTEMPTS_EXHAUSTED', inDoubt: true }],
    ])('of a %s record with %j needs confirmDouble', async (state, more) => {
      const number = await settled(state, more);
      const refused = await requeue(number, { reason: REASON, newNumber: true });
      expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('confirmDouble')]);
      expect(await audit(number)).toEqual([]);
      const answer = await requeue(number, { reason: REASON, newNumber: true, confirmDouble: true });
      expect(answer.status).toBe(200);
      expect((await audit(number))[0]?.detail).toMatchObject({ confirmDouble: true });
    });

    test('of a record needs confirmDouble too where it collided once and stands there for another reason by now', async () => {
      const number = await settled('rejected');
      const [attempt] = await operator.database.query<{ id: string }>(
        `insert into delivery_attempt (endpoint, records, replica, finished_at, outcome) values ('balances', 1, 'test', now(), 'answered') returning id`,
      );
      await operator.database.query(
        `insert into delivery_result (record_id, attempt_id, verdict, reason)
select id, $2, 'held', 'COLLISION' from amlyze_record where communication_number = $1`,
        [number, attempt?.id],
      );
      const refused = await requeue(number, { reason: REASON, newNumber: true });
      expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('confirmDouble')]);
      expect((await requeue(number, { reason: REASON, newNumber: true, confirmDouble: true })).status).toBe(200);
    });

    test('is made once: a second request is refused and makes nothing', async () => {
      const number = await settled('rejected');
      const answers = await Promise.all(
        Array.from({ length: 3 }, () => requeue(number, { reason: REASON, newNumber: true })),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
      const { accountId } = await operator.gateway.ok('GET', `/admin/records/${number}`);
      expect((await operator.gateway.ok('GET', `/admin/records?accountId=${accountId}`)).items).toHaveLength(2);
    });

    test('goes on counting where the revision before failed too', async () => {
      const first = await settled('rejected');
      const second = (await requeue(first, { reason: REASON, newNumber: true })).body.communicationNumber;
      await leave(second, 'rejected');
      const third = (await requeue(second, { reason: REASON, newNumber: true })).body.communicationNumber;
      expect(await operator.gateway.ok('GET', `/admin/records/${third}`)).toMatchObject({
        revision: 3,
        supersedes: second,
      });
    });
  });
});

import { RecordNumberPipe } from '../../../src/records/record-number.pipe';
import { ATTEMPTS_OF_RECORD } from '../../../src/records/explanation';
import type { Json } from '../../support/gateway';
import { INSTANT } from '../../support/outbox-rows';
import { namesOf, RecordsSetting } from '../../support/records-setting';

const LATER = '2026-03-06T06:00:00.000Z';
const REASON = 'the account is registered at AMLYZE now';

describe('records, as an operator sees them', () => {
  const operator = new RecordsSetting();
  const { account, put, leave, requeue, record, resume, over } = operator;

  describe('GET /admin/records', () => {
    test('lists oldest first, page by page, each record once', async () => {
      const accountId = await account();
      const numbers: string[] = [];
      for (let day = 1; day <= 5; day += 1) {
        numbers.push(await put(accountId, { balanceAt: `2026-03-0${day}T06:00:00.000Z` }));
      }
      const seen: string[] = [];
      const sizes: number[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const page: Json = await operator.gateway.ok(
          'GET',
          `/admin/records?accountId=${accountId}&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
        );
        seen.push(...namesOf(page.items, 'communicationNumber'));
        sizes.push(page.items.length);
        cursor = page.nextCursor;
      }
      expect(seen).toEqual(numbers);
      expect(sizes).toEqual([2, 2, 1]);
    });

    test('shows what was sent, how it stands and how often it was tried', async () => {
      const accountId = await account();
      const number = await put(accountId, { value: '4.200' });
      const { items } = await operator.gateway.ok('GET', `/admin/records?accountId=${accountId}`);
      expect(items).toEqual([
        {
          communicationNumber: number,
          kind: 'balance',
          accountId,
          accountExtId: operator.accountExtId,
          operationExtId: null,
          runId: null,
          state: 'pending',
          reason: null,
          errorCode: null,
          errorDescription: null,
          inDoubt: false,
          attempts: 0,
          balanceType: 'STATEMENT_BALANCE',
          balanceAt: INSTANT,
          value: '4.200',
          revision: 1,
          supersedes: null,
          supersedesReason: null,
          createdAt: expect.any(String),
          nextAttemptAt: expect.any(String),
          settledAt: null,
        },
      ]);
    });

    test('filters by state, account, run and error code, together too', async () => {
      const [one, two] = [await account(), await account()];
      const run = await operator.database.query<{ id: string }>(
        `insert into sync_run (trigger, scope) values ('resync', '{}') returning id`,
      );
      const runId = run[0]?.id ?? '';
      const held = await leave(await put(one, { runId }), 'held');
      const rejected = await leave(await put(one, { balanceAt: LATER }), 'rejected');
      const other = await leave(await put(two, { runId }), 'rejected');
      await operator.database.query(
        `update record_state set error_code = 'E77'
where record_id in (select id from amlyze_record where communication_number = any($1::text[]))`,
        [[rejected, other]],
      );
      const listed = async (query: string): Promise<string[]> =>
        namesOf((await operator.gateway.ok('GET', `/admin/records?${query}`)).items, 'communicationNumber');
      expect(await listed(`accountId=${one}`)).toEqual([held, rejected]);
      expect(await listed(`accountId=${one}&state=held`)).toEqual([held]);
      expect(await listed(`runId=${runId}`)).toEqual([held, other]);
      expect(await listed('errorCode=E77')).toEqual([rejected, other]);
      expect(await listed(`errorCode=E77&runId=${runId}&state=rejected&accountId=${two}`)).toEqual([other]);
      expect(await listed(`errorCode=E77&runId=${runId}&state=held`)).toEqual([]);
    });

    test.each([
      'state=sent',
      'accountId=abc',
      'runId=-1',
      'limit=501',
      'limit=0',
      'cursor=xyz',
      'colour=red',
      'errorCode=',
    ])('refuses %s', async (query) => {
      const { status, body } = await operator.gateway.call('GET', `/admin/records?${query}`);
      expect([status, namesOf(body.errors, 'field')]).toEqual([400, [query.split('=')[0]]]);
    });
  });

  describe('GET /admin/records/:communicationNumber', () => {
    test("explains it from the bank's payload over each step and the frozen bytes to every attempt", async () => {
      const number = await put(await account());
      await operator.outside.amlyze.addFault({
        match: { times: 1, communicationNumber: number },
        do: { kind: 'drop-after-commit' },
      });
      await resume();
      await over(number);
      const explanation = await operator.gateway.ok('GET', `/admin/records/${number}`);
      const { payload } = await record(number);
      expect(explanation).toMatchObject({
        communicationNumber: number,
        state: 'accepted',
        reason: 'replayed',
        inDoubt: false,
        attempts: 2,
        frozenRequest: payload,
        reading: { outcome: 'READ', bankPayload: '{"balance":"12.50"}' },
        steps: [{ rule: 'selection', text: 'the only one' }],
        supersededBy: null,
      });
      expect(explanation.frozenRequestSha256).toMatch(/^[0-9a-f]{64}$/);
      expect(explanation.attemptLog).toEqual([
        expect.objectContaining({ verdict: 'in-doubt', outcome: 'failed', late: false, httpStatus: null }),
        expect.objectContaining({
          verdict: 'accepted',
          reason: 'replayed',
          errorCode: 'O005',
          httpStatus: 200,
          answer: expect.stringContaining('already used'),
        }),
      ]);
    });

    test('shows the call that is under way, and no verdict for it', async () => {
      const number = await leave(await put(await account()), 'sending');
      await operator.database.query(
        `with a as (insert into delivery_attempt (endpoint, records, replica, lease_until, record_ids)
  select 'balances', 1, 'r', now() + interval '1 hour', array[id] from amlyze_record where communication_number = $1 returning id, record_ids)
update record_state set attempt_id = a.id, claims = 1 from a where record_id = any(record_ids)`,
        [number],
      );
      const { attempts, attemptLog } = await operator.gateway.ok('GET', `/admin/records/${number}`);
      expect(attempts).toBe(1);
      expect(attemptLog).toEqual([expect.objectContaining({ verdict: null, finishedAt: null, late: false })]);
    });

    test.each(['%00', 'obg%00', `obg-${'x'.repeat(252)}`])(
      'answers 404 for %s, which cannot be a number',
      async (number) => {
        for (const [method, path, body] of [
          ['GET', number, undefined],
          ['POST', `${number}/requeue`, { reason: REASON }],
          ['POST', `${number}/adopt`, { reason: REASON }],
        ] as const) {
          const { status } = await operator.gateway.call(method, `/admin/records/${path}`, body);
          expect([path, status]).toEqual([path, 404]);
        }
      },
    );

    test('takes every number that a caller may give', () => {
      const number = 'caller\u2028number';
      expect(new RecordNumberPipe().transform(number)).toBe(number);
    });

    test('answers 404 for a number that is none', async () => {
      expect((await operator.gateway.call('GET', '/admin/records/obg-nothing')).status).toBe(404);
      expect((await requeue('obg-nothing', { reason: REASON })).status).toBe(404);
      expect(
        (await operator.gateway.call('POST', '/admin/records/obg-nothing/adopt', { reason: 'x', evidence: 'y' }))
          .status,
      ).toBe(404);
    });

    test('finds the attempts by their keys, not by reading the log', async () => {
      const number = await put(await account());
      await operator.database.query(
        `insert into delivery_attempt (endpoint, records, replica, finished_at, outcome)
select 'balances', 1, 'other', now(), 'answered' from generate_series(1, 5000)`,
      );
      await operator.database.query('analyze delivery_attempt');
      const plan = await operator.database.query<{ 'QUERY PLAN': string }>(
        `explain ${ATTEMPTS_OF_RECORD.replaceAll('$1', '1').replaceAll('$2', 'null')}`,
      );
      expect(plan.map((line) => line['QUERY PLAN']).join('\n')).not.toContain('Seq Scan on delivery_attempt');
      expect((await operator.gateway.ok('GET', `/admin/records/${number}`)).attemptLog).toEqual([]);
    });
  });
});

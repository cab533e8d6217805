import { ATTEMPTS_OF_RECORD } from '../../src/records/explanation';
import { eventually } from '../support/eventually';
import { OutboxRows, INSTANT, type RecordState } from '../support/outbox-rows';
import { Outside, TestGateway, type Json } from '../support/gateway';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

const LATER = '2026-03-06T06:00:00.000Z';
const REASON = 'the account is registered at AMLYZE now';

describe('records, as an operator sees and moves them', () => {
  let testDatabase: TestDatabase;
  let outside: Outside;
  let gateway: TestGateway;
  let rows: OutboxRows;
  let made = 0;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    outside = await Outside.start();
    gateway = await TestGateway.start(testDatabase, outside);
    rows = await OutboxRows.open(testDatabase.database);
  }, 60_000);

  // Delivery stands still unless a test lets it go, so that what a call has done can be looked at.
  beforeEach(async () => {
    await testDatabase.database.query(
      `update amlyze_endpoint set pause = 'operator', pause_reason = 'test', paused_since = now(), paused_until = now() + interval '1 hour',
  generation = generation + 1 where endpoint = 'balances'`,
    );
  });

  afterAll(async () => {
    await gateway.close();
    await outside.close();
    await testDatabase.drop();
  });

  /** An account of its own that AMLYZE knows. */
  async function account(): Promise<string> {
    made += 1;
    const prefix = `R${made}-`;
    await outside.amlyze.putAccounts([{ accountExtId: `${prefix}1` }]);
    const [id] = await rows.accounts(1, prefix);
    if (!id) throw new Error('no account');
    return id;
  }

  async function put(accountId: string, more: Parameters<OutboxRows['enqueue']>[1] = {}): Promise<string> {
    const [number] = await rows.enqueue([accountId], more);
    if (!number) throw new Error('no record');
    return number;
  }

  /** A record as some delivery left it. */
  async function settled(state: string, more: { reason?: string; inDoubt?: boolean } = {}): Promise<string> {
    return leave(await put(await account()), state, more);
  }

  async function leave(
    number: string,
    state: string,
    { reason = 'SOMETHING', inDoubt = false }: { reason?: string; inDoubt?: boolean } = {},
  ): Promise<string> {
    const open = state === 'pending' || state === 'sending';
    await testDatabase.database.query(
      `update amlyze_record set state = $2, reason = $3, in_doubt = $4, settled_at = case when $5 then null else now() end,
  next_attempt_at = case when $2 = 'pending' then now() end, lease_until = case when $2 = 'sending' then now() + interval '1 hour' end
where communication_number = $1`,
      [number, state, open || state === 'accepted' ? null : reason, inDoubt, open],
    );
    return number;
  }

  const namesOf = (list: Json, name: string): string[] => (list as Json[]).map((item) => String(item[name]));
  const requeue = (number: string, body: object = {}): Promise<{ status: number; body: Json }> =>
    gateway.call('POST', `/admin/records/${number}/requeue`, body);
  const record = (number: string): Promise<RecordState> => rows.one(number);
  const resume = (): Promise<Json> => gateway.ok('POST', '/admin/amlyze/resume');

  /** The record once delivery has settled it. */
  const over = (number: string): Promise<RecordState> =>
    eventually(`${number} is settled`, async () => {
      const found = await record(number);
      return found.state !== 'pending' && found.state !== 'sending' && found;
    });

  async function audit(number: string): Promise<Json[]> {
    return testDatabase.database.query(
      `select actor, action, reason, detail from audit_entry where target = $1 order by id`,
      [`record:${number}`],
    );
  }

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
        const page: Json = await gateway.ok(
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
      const { items } = await gateway.ok('GET', `/admin/records?accountId=${accountId}`);
      expect(items).toEqual([
        {
          communicationNumber: number,
          kind: 'balance',
          accountId,
          accountExtId: `R${made}-1`,
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
      const run = await testDatabase.database.query<{ id: string }>(
        `insert into sync_run (trigger, scope) values ('resync', '{}') returning id`,
      );
      const runId = run[0]?.id ?? '';
      const held = await leave(await put(one, { runId }), 'held');
      const rejected = await leave(await put(one, { balanceAt: LATER }), 'rejected');
      const other = await leave(await put(two, { runId }), 'rejected');
      await testDatabase.database.query(
        `update amlyze_record set error_code = 'E77' where communication_number = any($1::text[])`,
        [[rejected, other]],
      );
      const listed = async (query: string): Promise<string[]> =>
        namesOf((await gateway.ok('GET', `/admin/records?${query}`)).items, 'communicationNumber');
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
      const { status, body } = await gateway.call('GET', `/admin/records?${query}`);
      expect([status, namesOf(body.errors, 'field')]).toEqual([400, [query.split('=')[0]]]);
    });
  });

  describe('GET /admin/records/:communicationNumber', () => {
    test("explains it from the bank's payload over each step and the frozen bytes to every attempt", async () => {
      const number = await put(await account());
      await outside.amlyze.addFault({
        match: { times: 1, communicationNumber: number },
        do: { kind: 'drop-after-commit' },
      });
      await resume();
      await over(number);
      const explanation = await gateway.ok('GET', `/admin/records/${number}`);
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
      await testDatabase.database.query(
        `with a as (insert into delivery_attempt (endpoint, records, replica) values ('balances', 1, 'r') returning id)
update amlyze_record set attempt_id = (select id from a) where communication_number = $1`,
        [number],
      );
      const { attempts, attemptLog } = await gateway.ok('GET', `/admin/records/${number}`);
      expect(attempts).toBe(1);
      expect(attemptLog).toEqual([expect.objectContaining({ verdict: null, finishedAt: null, late: false })]);
    });

    test('answers 404 for a number that is none', async () => {
      expect((await gateway.call('GET', '/admin/records/obg-nothing')).status).toBe(404);
      expect((await requeue('obg-nothing', { reason: REASON })).status).toBe(404);
      expect(
        (await gateway.call('POST', '/admin/records/obg-nothing/adopt', { reason: 'x', evidence: 'y' })).status,
      ).toBe(404);
    });

    test('finds the attempts by their keys, not by reading the log', async () => {
      const number = await put(await account());
      await testDatabase.database.query(
        `insert into delivery_attempt (endpoint, records, replica) select 'balances', 1, 'other' from generate_series(1, 5000)`,
      );
      await testDatabase.database.query('analyze delivery_attempt');
      const plan = await testDatabase.database.query<{ 'QUERY PLAN': string }>(
        `explain ${ATTEMPTS_OF_RECORD.replaceAll('$1', '1').replaceAll('$2', 'null')}`,
      );
      expect(plan.map((line) => line['QUERY PLAN']).join('\n')).not.toContain('Seq Scan on delivery_attempt');
      expect((await gateway.ok('GET', `/admin/records/${number}`)).attemptLog).toEqual([]);
    });
  });

  describe('requeue with the same number', () => {
    test.each(['held', 'rejected', 'exhausted'])(
      'puts a %s record back: due at once, all attempts ahead, bytes as they were',
      async (state) => {
        const number = await settled(state, { inDoubt: true });
        const before = await record(number);
        await testDatabase.database.query(`update amlyze_record set attempts = 12 where communication_number = $1`, [
          number,
        ]);
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

    test('needs no reason for an exhausted record', async () => {
      expect((await requeue(await settled('exhausted'))).status).toBe(200);
    });

    test.each(['held', 'rejected'])('of a %s record needs a reason', async (state) => {
      const number = await settled(state);
      const answer = await requeue(number);
      expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining('needs a reason')]);
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
      expect(await gateway.ok('GET', `/admin/records/${next}`)).toMatchObject({
        revision: 2,
        supersedes: number,
        supersedesReason: 'new-number',
        value: '-0.100',
        balanceAt: INSTANT,
        steps: [{ rule: 'selection', text: 'the only one' }],
      });
      expect(await gateway.ok('GET', `/admin/records/${number}`)).toMatchObject({ supersededBy: next });
      expect(await audit(number)).toEqual([
        expect.objectContaining({
          reason: REASON,
          detail: { communicationNumber: next, newNumber: true, confirmDouble: false, confirmOlder: false },
        }),
      ]);
      await resume();
      expect(await over(next)).toMatchObject({ state: 'accepted', reason: null });
      expect(
        (await outside.amlyze.ledger(`R${made}-1`)).map((entry) => [entry.communicationNumber, entry.value]),
      ).toEqual([[next, '-0.100']]);
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

    test('is made once: a second request is refused and makes nothing', async () => {
      const number = await settled('rejected');
      const answers = await Promise.all(
        Array.from({ length: 3 }, () => requeue(number, { reason: REASON, newNumber: true })),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
      const { accountId } = await gateway.ok('GET', `/admin/records/${number}`);
      expect((await gateway.ok('GET', `/admin/records?accountId=${accountId}`)).items).toHaveLength(2);
    });

    test('goes on counting where the revision before failed too', async () => {
      const first = await settled('rejected');
      const second = (await requeue(first, { reason: REASON, newNumber: true })).body.communicationNumber;
      await leave(second, 'rejected');
      const third = (await requeue(second, { reason: REASON, newNumber: true })).body.communicationNumber;
      expect(await gateway.ok('GET', `/admin/records/${third}`)).toMatchObject({ revision: 3, supersedes: second });
    });
  });

  describe('adopt', () => {
    test('makes a held record accepted, with reason and evidence in the trail', async () => {
      const number = await settled('held', { reason: 'COLLISION', inDoubt: true });
      const body = { reason: 'sent by the environment before', evidence: 'AMLYZE console, ticket OPS-17' };
      expect((await gateway.call('POST', `/admin/records/${number}/adopt`, body)).status).toBe(200);
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
      const answer = await gateway.call('POST', `/admin/records/${number}/adopt`, { reason: 'x', evidence: 'y' });
      expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining(`is ${state}`)]);
      expect(await record(number)).toMatchObject({ state });
      expect(await audit(number)).toEqual([]);
    });

    test.each([{}, { reason: 'x' }, { evidence: 'y' }, { reason: '', evidence: 'y' }])(
      'refuses the body %j',
      async (body) => {
        const number = await settled('held');
        expect((await gateway.call('POST', `/admin/records/${number}/adopt`, body)).status).toBe(400);
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
      const refused = await gateway.ok('POST', '/admin/records/requeue', { accountId, reason: REASON });
      expect(refused).toEqual({
        requeued: 0,
        refused: numbers.slice(0, 3).map((communicationNumber) => ({
          communicationNumber,
          detail: expect.stringContaining('confirmOlder'),
        })),
        more: false,
      });
      const answer = await gateway.ok('POST', '/admin/records/requeue', {
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

    test('filters by run and error code', async () => {
      const accountId = await account();
      const one = await leave(await put(accountId), 'rejected');
      await leave(await put(accountId, { balanceAt: LATER }), 'rejected');
      await testDatabase.database.query(`update amlyze_record set error_code = 'E99' where communication_number = $1`, [
        one,
      ]);
      const answer = await gateway.ok('POST', '/admin/records/requeue', {
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
      expect(await gateway.ok('POST', '/admin/records/requeue', body)).toMatchObject({ requeued: 3, refused: [] });
      expect(await gateway.ok('POST', '/admin/records/requeue', body)).toEqual({
        requeued: 0,
        refused: [],
        more: false,
      });
    });

    test.each([{ state: 'accepted' }, { state: 'pending' }, { accountId: 'x' }, { reason: 1 }, { all: true }])(
      'refuses the body %j',
      async (body) => {
        expect((await gateway.call('POST', '/admin/records/requeue', body)).status).toBe(400);
      },
    );
  });

  describe('POST /admin/amlyze/resume', () => {
    test('ends the pause at once, says what it resumed, and leaves a trace of who did it', async () => {
      const number = await put(await account());
      expect((await gateway.ok('GET', '/health/ready')).details.delivery).toMatchObject({
        status: 'degraded',
        paused: true,
      });
      expect(await resume()).toEqual({ resumed: ['balances'] });
      expect(await over(number)).toMatchObject({ state: 'accepted' });
      const [entry] = await testDatabase.database.query(
        `select action, detail from audit_entry where target = 'amlyze' order by id desc limit 1`,
      );
      expect(entry).toEqual({ action: 'amlyze.resume', detail: { resumed: ['balances'] } });
    });
  });
});

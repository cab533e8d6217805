import { claimDue, claimGroup, type ClaimedBatch, type ClaimRequest } from '../../src/outbox/claim';
import {
  cutInTwo,
  extendLease,
  settle,
  settleCalls,
  takeBackExpired,
  type SettledCall,
  type Settlement,
} from '../../src/outbox/settle';
import { OutboxRows } from '../support/outbox-rows';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

const REQUEST: ClaimRequest = {
  channel: 'balance',
  endpoint: 'balances',
  replica: 'test',
  limit: 100,
  leaseSeconds: 30,
};

describe('the outbox', () => {
  let testDatabase: TestDatabase;
  let rows: OutboxRows;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
  });

  beforeEach(async () => {
    rows = await OutboxRows.clear(testDatabase.database);
  });

  afterAll(async () => {
    await testDatabase.drop();
  });

  const db = (): TestDatabase['database'] => testDatabase.database;
  const claim = (more: Partial<ClaimRequest> = {}): Promise<ClaimedBatch | undefined> =>
    claimDue(db(), { ...REQUEST, ...more });
  const mustClaim = async (more: Partial<ClaimRequest> = {}): Promise<ClaimedBatch> => {
    const batch = await claim(more);
    if (!batch) throw new Error('nothing was claimed');
    return batch;
  };
  const numbersOf = (batch: ClaimedBatch | undefined): string[] =>
    (batch?.records ?? []).map(({ communicationNumber }) => communicationNumber).sort();
  const settleAll = (batch: ClaimedBatch, more: Partial<Settlement> = {}): Promise<Set<string>> =>
    settle(
      db(),
      batch.attemptId,
      batch.records.map((record) => ({ record, state: 'accepted', inDoubt: false, verdict: 'accepted', ...more })),
      { outcome: 'answered', httpStatus: 200, latencyMs: 5 },
    );

  describe('claim', () => {
    test('takes what has been due longest, and no more than its limit', async () => {
      const numbers = await rows.enqueue(await rows.accounts(6));
      await db().query(
        `update amlyze_record set next_attempt_at = now() - make_interval(secs => 100 - (id % 7) * 10) where id % 2 = 0`,
      );
      const expected = await db().query<{ communication_number: string }>(
        'select communication_number from amlyze_record order by next_attempt_at, id limit 4',
      );
      const first = await mustClaim({ limit: 4 });
      expect(numbersOf(first)).toEqual(expected.map((row) => row.communication_number).sort());
      const second = await mustClaim({ limit: 4 });
      expect([...numbersOf(first), ...numbersOf(second)].sort()).toEqual(numbers);
      expect(await claim()).toBeUndefined();
    });

    test('leaves what is due later, what is settled, and what the caller excepts', async () => {
      const [later, held, excepted, due] = await rows.enqueue(await rows.accounts(4));
      await db().query(
        `update amlyze_record set next_attempt_at = now() + interval '1 hour' where communication_number = $1`,
        [later],
      );
      await db().query(
        `update amlyze_record set state = 'held', reason = 'COLLISION', next_attempt_at = null, settled_at = now() where communication_number = $1`,
        [held],
      );
      const { id } = await rows.one(excepted);
      expect(numbersOf(await claim({ exceptIds: [id] }))).toEqual([due]);
      expect(numbersOf(await claim())).toEqual([excepted]);
      expect(await claim()).toBeUndefined();
    });

    test('shares the records between claimers: every one goes to exactly one of them, and nobody waits', async () => {
      const numbers = await rows.enqueue(await rows.accounts(300));
      const batches = await Promise.all(Array.from({ length: 6 }, () => claim({ limit: 50 })));
      expect(batches.map((batch) => batch?.records.length)).toEqual([50, 50, 50, 50, 50, 50]);
      expect(batches.flatMap(numbersOf).sort()).toEqual(numbers);
      expect(new Set(batches.map((batch) => batch?.attemptId)).size).toBe(6);
    });

    test('does not wait for records that another session has locked', async () => {
      await rows.enqueue(await rows.accounts(4));
      await db().transaction(async (tx) => {
        const locked = await tx.query<{ communication_number: string }>(
          'select communication_number from amlyze_record order by id limit 2 for update',
        );
        const batch = await mustClaim();
        expect(batch.records).toHaveLength(2);
        expect(numbersOf(batch)).not.toEqual(expect.arrayContaining(locked.map((row) => row.communication_number)));
      });
    });

    test('commits the attempt, the doubt, a lease and a higher epoch before anything is sent', async () => {
      await rows.enqueue(await rows.accounts(2));
      const batch = await mustClaim({ leaseSeconds: 30 });
      expect(await rows.attempts()).toEqual([
        expect.objectContaining({
          id: batch.attemptId,
          endpoint: 'balances',
          records: 2,
          replica: 'test',
          outcome: null,
        }),
      ]);
      for (const row of await rows.all()) {
        expect(row).toMatchObject({
          state: 'sending',
          in_doubt: true,
          epoch: '1',
          attempt_id: batch.attemptId,
          due_in_ms: null,
        });
        expect(Number(row.lease_in_ms)).toBeGreaterThan(25_000);
        expect(Number(row.lease_in_ms)).toBeLessThanOrEqual(30_000);
      }
      expect(batch.records.map(({ inDoubtBefore, rejectedBefore }) => [inDoubtBefore, rejectedBefore])).toEqual([
        [false, false],
        [false, false],
      ]);
    });

    test('writes no attempt where there is nothing to claim', async () => {
      expect(await claim()).toBeUndefined();
      expect(await claimGroup(db(), REQUEST)).toBeUndefined();
      expect(await rows.attempts()).toEqual([]);
    });

    test('hands out the same frozen bytes in every attempt, and says what is known of the number', async () => {
      await rows.enqueue(await rows.accounts(1), { value: '4.200' });
      const seen: string[] = [];
      for (const verdict of ['in-doubt', 'rejected', 'in-doubt'] as const) {
        const batch = await mustClaim();
        seen.push(...batch.records.map((record) => record.payload));
        await settleAll(batch, {
          state: 'pending',
          inDoubt: verdict === 'in-doubt',
          verdict,
          delayMs: 0,
          chargesAttempt: true,
        });
      }
      const last = await mustClaim();
      expect(new Set([...seen, ...last.records.map((record) => record.payload)]).size).toBe(1);
      expect(seen[0]).toContain('"value":4.200}');
      expect(last.records).toEqual([
        expect.objectContaining({ inDoubtBefore: true, rejectedBefore: true, attempts: 3, epoch: '4' }),
      ]);
    });
  });

  describe('order within an account and balance type', () => {
    const times = ['2026-03-05T06:00:00.000Z', '2026-03-06T06:00:00.000Z', '2026-03-07T06:00:00.000Z'] as const;

    /** Three balances of one account, newest put in first, so that only balanceAt can give the order. */
    async function series(): Promise<[string, string, string]> {
      const accounts = await rows.accounts(1);
      const numbers: string[] = [];
      for (const balanceAt of [...times].reverse()) numbers.unshift(...(await rows.enqueue(accounts, { balanceAt })));
      const [first, second, third] = numbers;
      if (!first || !second || !third) throw new Error('a record is missing');
      return [first, second, third];
    }

    test('lets only the oldest out, whichever came first into the outbox', async () => {
      const [first, second, third] = await series();
      const batch = await mustClaim();
      expect(numbersOf(batch)).toEqual([first]);
      expect(await claim()).toBeUndefined();
      await settleAll(batch);
      const next = await mustClaim();
      expect(numbersOf(next)).toEqual([second]);
      await settleAll(next);
      expect(numbersOf(await claim())).toEqual([third]);
    });

    test('puts a later revision of one time behind the earlier', async () => {
      const accounts = await rows.accounts(1);
      const [restated] = await rows.enqueue(accounts, { revision: 2 });
      const [original] = await rows.enqueue(accounts, { revision: 1 });
      const batch = await mustClaim();
      expect(numbersOf(batch)).toEqual([original]);
      await settleAll(batch);
      expect(numbersOf(await claim())).toEqual([restated]);
    });

    test('parks what is blocked until its blocker can be over, and a settled blocker lets it go at once', async () => {
      const [, second, third] = await series();
      const batch = await mustClaim({ leaseSeconds: 30 });
      await claim();
      for (const number of [second, third]) {
        expect(Number((await rows.one(number)).due_in_ms)).toBeGreaterThan(25_000);
      }
      await settleAll(batch);
      expect(Number((await rows.one(second)).due_in_ms)).toBeLessThanOrEqual(0);
      expect(Number((await rows.one(third)).due_in_ms)).toBeGreaterThan(20_000);
    });

    test('holds a newer one back while the oldest waits for its retry', async () => {
      const [first, second] = await series();
      const batch = await mustClaim();
      await settleAll(batch, { state: 'pending', inDoubt: true, verdict: 'in-doubt', delayMs: 60_000 });
      expect(await claim()).toBeUndefined();
      await rows.makeDue();
      expect(numbersOf(await claim())).toEqual([first]);
      expect(Number((await rows.one(second)).due_in_ms)).toBeGreaterThan(0);
    });

    test.each(['accepted', 'rejected', 'held', 'exhausted'] as const)(
      'is not blocked by a record that is %s',
      async (state) => {
        const [, second] = await series();
        await settleAll(await mustClaim(), { state, reason: 'SOMETHING', verdict: state });
        expect(numbersOf(await claim())).toEqual([second]);
      },
    );

    test('does not reach across balance types or accounts', async () => {
      const accounts = await rows.accounts(2);
      const numbers = [
        ...(await rows.enqueue(accounts)),
        ...(await rows.enqueue(accounts, { balanceType: 'DAILY_BALANCE' })),
      ];
      expect(numbersOf(await claim())).toEqual(numbers);
    });

    test('lets a claim find the one free record behind 20,000 blocked ones, and pays for them once', async () => {
      const accounts = await rows.accounts(2);
      await rows.enqueue(accounts.slice(0, 1), { balanceAt: '2020-01-01T00:00:00.000Z' });
      const blocker = await mustClaim();
      await db().query(
        `insert into amlyze_record (communication_number, kind, account_id, account_ext_id, balance_type, balance_at, value, payload, next_attempt_at)
select 'blocked-' || g, 'balance', $1, 'A1', 'STATEMENT_BALANCE', timestamptz '2021-01-01' + make_interval(mins => g), 1, '{}', now() - interval '1 hour'
from generate_series(1, 20000) g`,
        [accounts[0]],
      );
      const [free] = await rows.enqueue(accounts.slice(1));
      expect(numbersOf(await claim({ limit: 500 }))).toEqual([free]);

      // All of them are parked behind the lease of the one that blocks them, so the next claim looks at none.
      const [due] = await db().query<{ n: number }>(
        `select count(*)::int as n from amlyze_record where state = 'pending' and next_attempt_at <= now()`,
      );
      expect(due?.n).toBe(0);
      const started = performance.now();
      expect(await claim({ limit: 500 })).toBeUndefined();
      expect(performance.now() - started).toBeLessThan(200);
      expect(blocker.records).toHaveLength(1);
    });
  });

  describe('settle', () => {
    test('writes state, words, log and the end of the attempt at once', async () => {
      await rows.enqueue(await rows.accounts(1));
      const batch = await mustClaim();
      const words = { errorCode: 'O007', errorDescription: 'no such account', answer: '{"x":1}' };
      const held = await settleAll(batch, {
        state: 'rejected',
        reason: 'BUSINESS_REJECTION',
        verdict: 'rejected',
        verdictReason: 'BUSINESS_REJECTION',
        ...words,
      });
      const record = await rows.one();
      expect(held).toEqual(new Set([record.id]));
      expect(record).toMatchObject({
        state: 'rejected',
        reason: 'BUSINESS_REJECTION',
        error_code: 'O007',
        error_description: 'no such account',
        in_doubt: false,
        attempt_id: null,
        lease_in_ms: null,
        due_in_ms: null,
      });
      expect(await rows.log()).toEqual([
        expect.objectContaining({
          record_id: record.id,
          attempt_id: batch.attemptId,
          late: false,
          verdict: 'rejected',
          reason: 'BUSINESS_REJECTION',
          error_code: 'O007',
          error_description: 'no such account',
          answer: '{"x":1}',
        }),
      ]);
      expect(await rows.attempts()).toEqual([
        expect.objectContaining({
          outcome: 'answered',
          http_status: 200,
          latency_ms: 5,
          finished_at: expect.any(Date),
        }),
      ]);
    });

    test('under an epoch that is over changes no state, and stands in the log as late', async () => {
      await rows.enqueue(await rows.accounts(1));
      const lost = await mustClaim();
      await rows.expireLeases();
      expect(await takeBackExpired(db())).toBe(1);
      const winner = await mustClaim();
      const before = await rows.one();

      expect(await settleAll(lost)).toEqual(new Set());
      expect(await rows.one()).toEqual({ ...before, lease_in_ms: expect.anything() });
      expect(await rows.log()).toEqual([
        expect.objectContaining({
          attempt_id: lost.attemptId,
          late: false,
          verdict: 'in-doubt',
          reason: 'lease-expired',
        }),
        expect.objectContaining({ attempt_id: lost.attemptId, late: true, verdict: 'accepted' }),
      ]);

      expect(await settleAll(winner, { reason: 'replayed' })).toEqual(new Set([before.id]));
      expect(await rows.one()).toMatchObject({ state: 'accepted', reason: 'replayed', in_doubt: false });
    });

    test('settles the records of a batch that are still held, and only those', async () => {
      await rows.enqueue(await rows.accounts(3));
      const batch = await mustClaim();
      const [taken] = batch.records;
      await db().query(`update amlyze_record set lease_until = now() - interval '1 second' where id = $1`, [taken?.id]);
      await takeBackExpired(db());
      const held = await settleAll(batch);
      expect(held).toEqual(new Set(batch.records.slice(1).map(({ id }) => id)));
      expect((await rows.log()).filter(({ late }) => late).map((row) => row.record_id)).toEqual([taken?.id]);
      expect(await rows.states()).toEqual({ accepted: 2, pending: 1 });
    });

    test('of the same attempt a second time changes nothing that stands', async () => {
      await rows.enqueue(await rows.accounts(1));
      const batch = await mustClaim();
      await settleAll(batch);
      const stands = [await rows.one(), await rows.attempts()];
      expect(await settleAll(batch, { state: 'pending', inDoubt: true, verdict: 'in-doubt' })).toEqual(new Set());
      expect([await rows.one(), await rows.attempts()]).toEqual(stands);
      expect((await rows.log()).map(({ verdict, late }) => [verdict, late])).toEqual([
        ['accepted', false],
        ['in-doubt', true],
      ]);
    });

    test('tells the late answer from the right one where both are settled in one statement', async () => {
      await rows.enqueue(await rows.accounts(1));
      const lost = await mustClaim();
      await rows.expireLeases();
      await takeBackExpired(db());
      const winner = await mustClaim();
      const call = (batch: ClaimedBatch, state: 'accepted' | 'held'): SettledCall => ({
        attemptId: batch.attemptId,
        settlements: batch.records.map((record) => ({ record, state, reason: 'X', inDoubt: false, verdict: state })),
        end: { outcome: 'answered' },
      });
      await settleCalls(db(), [call(lost, 'held'), call(winner, 'accepted')]);
      expect(await rows.one()).toMatchObject({ state: 'accepted' });
      expect((await rows.log()).map(({ attempt_id, verdict, late }) => [attempt_id, verdict, late])).toEqual([
        [lost.attemptId, 'in-doubt', false],
        [lost.attemptId, 'held', true],
        [winner.attemptId, 'accepted', false],
      ]);
    });

    test('lets a blocked record go although a claim is parking it at that very moment', async () => {
      const accounts = await rows.accounts(1);
      await rows.enqueue(accounts, { balanceAt: '2026-03-05T06:00:00.000Z' });
      const batch = await mustClaim();
      const [second] = await rows.enqueue(accounts, { balanceAt: '2026-03-06T06:00:00.000Z' });
      let settling: Promise<unknown> | undefined;
      await db().transaction(async (tx) => {
        await claimDue(tx, REQUEST);
        settling = settleAll(batch);
        await waitsForLock();
      });
      await settling;
      expect(Number((await rows.one(second)).due_in_ms)).toBeLessThanOrEqual(0);
    });
  });

  describe('a lease', () => {
    test('is renewed only where the attempt still holds the record', async () => {
      await rows.enqueue(await rows.accounts(2));
      const batch = await mustClaim({ leaseSeconds: 5 });
      const [taken] = batch.records;
      await db().query(`update amlyze_record set lease_until = now() - interval '1 second' where id = $1`, [taken?.id]);
      await takeBackExpired(db());
      const other = await mustClaim({ leaseSeconds: 5 });
      await extendLease(db(), batch, 600);
      const leases = new Map((await rows.all()).map((row) => [row.id, Number(row.lease_in_ms)]));
      expect(leases.get(other.records[0]?.id ?? '')).toBeLessThanOrEqual(5_000);
      expect(leases.get(batch.records[1]?.id ?? '')).toBeGreaterThan(500_000);
      expect(await takeBackExpired(db())).toBe(0);
    });

    test('is renewed without waiting for a settle that holds the rows, so that the two cannot deadlock', async () => {
      await rows.enqueue(await rows.accounts(2));
      const batch = await mustClaim();
      await db().transaction(async (tx) => {
        await tx.query('select id from amlyze_record where id = $1 for update', [batch.records[0]?.id]);
        await extendLease(db(), batch, 600);
      });
      const leases = (await rows.all()).map((row) => Number(row.lease_in_ms) > 500_000);
      expect(leases).toEqual([false, true]);
    });

    test('that ran out is taken back with the missing result, in doubt, under a higher epoch and due at once', async () => {
      await rows.enqueue(await rows.accounts(2));
      const batch = await mustClaim();
      expect(await takeBackExpired(db())).toBe(0);
      await rows.expireLeases();
      expect(await takeBackExpired(db())).toBe(2);
      for (const row of await rows.all()) {
        expect(row).toMatchObject({ state: 'pending', in_doubt: true, epoch: '2', attempts: 0, attempt_id: null });
        expect(Number(row.due_in_ms)).toBeLessThanOrEqual(0);
      }
      expect((await rows.log()).map(({ verdict, reason, late }) => [verdict, reason, late])).toEqual([
        ['in-doubt', 'lease-expired', false],
        ['in-doubt', 'lease-expired', false],
      ]);
      expect(await rows.attempts()).toEqual([expect.objectContaining({ id: batch.attemptId, outcome: 'lost' })]);
      expect((await mustClaim()).records.map(({ inDoubtBefore }) => inDoubtBefore)).toEqual([true, true]);
    });

    test('is taken back once, however many look at the same time', async () => {
      await rows.enqueue(await rows.accounts(50));
      await mustClaim();
      await rows.expireLeases();
      const taken = await Promise.all(Array.from({ length: 4 }, () => takeBackExpired(db())));
      expect(taken.reduce((sum, n) => sum + n, 0)).toBe(50);
      expect(await rows.log()).toHaveLength(50);
    });

    test('is taken back no more than the limit at a time', async () => {
      await rows.enqueue(await rows.accounts(5));
      await mustClaim();
      await rows.expireLeases();
      expect([await takeBackExpired(db(), 3), await takeBackExpired(db(), 3), await takeBackExpired(db(), 3)]).toEqual([
        3, 2, 0,
      ]);
    });
  });

  describe('a batch that was cut in two', () => {
    async function cut(): Promise<{ halves: [string[], string[]] }> {
      await rows.enqueue(await rows.accounts(4));
      const batch = await mustClaim();
      const groups = await cutInTwo(db(), undefined, 'bad-request');
      await settle(
        db(),
        batch.attemptId,
        batch.records.map((record, index) => ({
          record,
          state: 'pending',
          inDoubt: false,
          verdict: 'not-sent',
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
      const accounts = await rows.accounts(400);
      await rows.enqueue(accounts);
      const groups = await cutInTwo(db(), undefined, 'bad-request');
      for (let round = 0; round < 5; round += 1) {
        await db().query(
          `update amlyze_record set state = 'pending', lease_until = null, next_attempt_at = now(), batch_group = $1`,
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
          'select id from delivery_group where id = (select batch_group from amlyze_record where communication_number = $1) for update',
          [one],
        );
        expect(numbersOf(await claimGroup(db(), REQUEST))).toEqual(halves[1]);
      });
      expect(numbersOf(await claimGroup(db(), REQUEST))).toEqual(halves[0]);
    });

    test('lets a probe ask for the part that did not fail last', async () => {
      const { halves } = await cut();
      const failed = await Promise.all(halves[0].map(async (number) => (await rows.one(number)).id));
      expect(numbersOf(await claimGroup(db(), { ...REQUEST, exceptIds: failed }))).toEqual(halves[1]);
      expect(await claimGroup(db(), { ...REQUEST, exceptIds: failed })).toBeUndefined();
      expect(numbersOf(await claimGroup(db(), REQUEST))).toEqual(halves[0]);
    });
  });

  test('never reads the table from end to end, even with 200,000 rows that were never analyzed', async () => {
    const accounts = await rows.accounts(20_000);
    await db().query('alter table amlyze_record set (autovacuum_enabled = false)');
    await db().query(
      `insert into amlyze_record (communication_number, kind, account_id, account_ext_id, balance_type, balance_at, value, payload, state,
  next_attempt_at, settled_at)
select 'n-' || a || '-' || t, 'balance', a, 'A', 'TYPE_' || t, now(), 1, '{}', case when t <= 5 then 'pending' else 'accepted' end,
  case when t <= 5 then now() - make_interval(secs => t) end, case when t > 5 then now() end
from unnest($1::bigint[]) a, generate_series(1, 10) t`,
      [accounts],
    );
    const groups = await cutInTwo(db(), undefined, 'bad-request');
    await db().query(
      `update amlyze_record r set batch_group = ($1::bigint[])[1 + n % 2]
from (select id, row_number() over () as n from amlyze_record where state = 'pending' limit 32) m where m.id = r.id`,
      [groups],
    );
    const timesMs: number[] = [];
    const scans = await db().transaction(async (tx) => {
      // More than five times, so that the server also considers one plan for all parameters.
      expect((await claimGroup(tx, REQUEST))?.records).toHaveLength(16);
      expect((await claimGroup(tx, REQUEST))?.records).toHaveLength(16);
      for (let round = 0; round < 8; round += 1) {
        const started = performance.now();
        const batch = await claimDue(tx, { ...REQUEST, limit: 500 });
        if (!batch) throw new Error('nothing was claimed');
        await claimGroup(tx, REQUEST);
        await extendLease(tx, batch, 30);
        await takeBackExpired(tx);
        await settle(
          tx,
          batch.attemptId,
          batch.records.map((record) => ({ record, state: 'accepted', inDoubt: false, verdict: 'accepted' })),
          { outcome: 'answered' },
        );
        timesMs.push(performance.now() - started);
      }
      const [row] = await tx.query<{ seq_scan: string; idx_tup_fetch: string }>(
        `select seq_scan, idx_tup_fetch from pg_stat_xact_user_tables where relname = 'amlyze_record'`,
      );
      return { wholeTable: row?.seq_scan, perRecord: Number(row?.idx_tup_fetch) / (8 * 500) };
    });
    expect(scans.wholeTable).toBe('0');
    // A claim looks at each record and at the head of its series; the rest of the way touches it a few times more.
    expect(scans.perRecord).toBeLessThan(12);
    expect(await rows.states()).toEqual({ accepted: 104_000, pending: 96_000 - 32, sending: 32 });
    // About 60 ms for a claim and a settle of 500 on two free cores.
    expect(timesMs.sort((a, b) => a - b)[4]).toBeLessThan(1_000);
  });

  describe('the tables refuse', () => {
    test.each([
      [`update delivery_result set verdict = 'accepted'`],
      ['delete from delivery_result'],
      ['truncate delivery_result cascade'],
      ['truncate delivery_attempt cascade'],
      ['delete from delivery_attempt'],
      [`update delivery_attempt set outcome = 'answered'`],
      ['update delivery_attempt set finished_at = null, outcome = null'],
    ])('to change the log: %s', async (sql) => {
      await rows.enqueue(await rows.accounts(1));
      await settleAll(await mustClaim(), { state: 'held', reason: 'COLLISION', verdict: 'held' });
      const log = [await rows.log(), await rows.attempts()];
      await expect(db().query(sql)).rejects.toThrow(/refused/);
      expect([await rows.log(), await rows.attempts()]).toEqual(log);
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
      [
        `state = 'accepted', next_attempt_at = null, settled_at = now(), in_doubt = true`,
        'amlyze_record_accepted_sure',
      ],
      [`state = 'accepted', settled_at = now()`, 'amlyze_record_due'],
      [`supersedes = 'other'`, 'amlyze_record_supersedes'],
      [`account_id = null`, 'amlyze_record_balance_whole'],
      [`value = null`, 'amlyze_record_balance_whole'],
      [`communication_number = repeat('x', 256)`, 'amlyze_record_number_length'],
      [`communication_number = ''`, 'amlyze_record_number_length'],
    ])('a record that cannot be: %s', async (change, constraint) => {
      await rows.enqueue(await rows.accounts(1));
      await expect(db().query(`update amlyze_record set ${change}`)).rejects.toMatchObject({ constraint });
    });

    test('a number that another record has', async () => {
      const [number] = await rows.enqueue(await rows.accounts(1));
      if (!number) throw new Error('no record');
      await expect(rows.enqueue(await rows.accounts(1, 'B'), { communicationNumber: number })).rejects.toMatchObject({
        constraint: 'amlyze_record_number_unique',
      });
    });
  });

  /** Until some session of this database waits for a lock of another. */
  async function waitsForLock(): Promise<void> {
    for (const end = performance.now() + 2_000; performance.now() < end;) {
      const [row] = await db().query<{ n: number }>(
        `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      if ((row?.n ?? 0) > 0) return;
    }
  }
});

import { Client } from 'pg';
import { PLANNER_OPTIONS } from '../../../src/database/planner-options';
import { openEndpoint } from '../../../src/delivery/endpoint-state';
import { claimDue, claimGroup, type ClaimedBatch } from '../../../src/outbox/claim';
import { cutInTwo, extendLeases, settleCalls, takeBackExpired, type SettledCall } from '../../../src/outbox/settle';
import { takeTurn } from '../../../src/outbox/turn';
import type { Queryable, Sql } from '../../../src/shared/database';
import { giveState, sendingWith, settledAs } from '../../support/give-state';
import { OutboxSetting, REQUEST } from '../../support/outbox-setting';
import { settleAccepted } from '../../support/settle-accepted';

/** Records, and how far they got. */
const RECORD_TABLES = ['amlyze_record', 'record_state'];

/** Rows of some tables that the transaction's statements have read so far, through an index or not. */
async function rowsLookedAt(tx: Queryable, tables: readonly string[]): Promise<number> {
  const [row] = await tx.query<{ n: string }>(
    `select sum(seq_tup_read + idx_tup_fetch) as n from pg_stat_xact_user_tables where relname = any($1)`,
    [tables],
  );
  return Number(row?.n);
}

describe("the outbox's statements", () => {
  const outbox = new OutboxSetting();
  const { db } = outbox;

  const withoutAutovacuum = async (): Promise<void> => {
    for (const table of RECORD_TABLES) await db().query(`alter table ${table} set (autovacuum_enabled = false)`);
  };

  /** A record of each account and of each of the types numbered `from` to `upTo`, due unless told otherwise. */
  async function addRecords(
    to: Queryable,
    accounts: readonly string[],
    { from, upTo, state = {} }: { from: number; upTo: number; state?: Readonly<Record<string, string>> },
  ): Promise<void> {
    await to.query(
      `insert into amlyze_record (communication_number, kind, account_id, account_ext_id, balance_type, balance_at, value, payload)
select 'n-' || a || '-' || t, 'balance', a, 'A', 'TYPE_' || t, now(), 1, '{}' from unnest($1::bigint[]) a, generate_series($2::integer, $3) t`,
      [accounts, from, upTo],
    );
    await giveState(to, state);
  }

  test('never reads the table from end to end, even with 200,000 rows that were never analyzed', async () => {
    const accounts = await outbox.rows.accounts(20_000);
    await withoutAutovacuum();
    await addRecords(db(), accounts, { from: 6, upTo: 10, state: settledAs() });
    await addRecords(db(), accounts, {
      from: 1,
      upTo: 5,
      state: { next_attempt_at: `now() - make_interval(secs => right(r.balance_type, 1)::int)` },
    });
    const groups = await cutInTwo(db(), undefined, 'bad-request');
    await db().query(
      `update record_state r set batch_group = ($1::bigint[])[1 + n % 2]
from (select record_id, row_number() over () as n from record_state where standing = 'open' limit 32) m where m.record_id = r.record_id`,
      [groups],
    );
    const timesMs: number[] = [];
    const looks = await db().transaction(async (tx) => {
      const before = await rowsLookedAt(tx, RECORD_TABLES);
      // More than five times, so that the server also considers one plan for all parameters.
      expect((await claimGroup(tx, REQUEST))?.records).toHaveLength(16);
      expect((await claimGroup(tx, REQUEST))?.records).toHaveLength(16);
      for (let round = 0; round < 8; round += 1) {
        const started = performance.now();
        const batch = await claimDue(tx, { ...REQUEST, limit: 500 });
        if (!batch) throw new Error('nothing was claimed');
        await claimGroup(tx, REQUEST);
        await extendLeases(tx, [batch.attemptId], 30);
        await takeBackExpired(tx);
        await settleAccepted(tx, batch);
        timesMs.push(performance.now() - started);
      }
      return ((await rowsLookedAt(tx, RECORD_TABLES)) - before) / (8 * 500);
    });
    // A claim looks at each record and at the head of its series; the rest of the way touches it a few times more.
    expect(looks).toBeLessThan(12);
    expect(await outbox.rows.states()).toEqual({ accepted: 104_000, pending: 96_000 - 32, sending: 32 });
    // About 60 ms for a claim and a settle of 500 on two free cores.
    expect(timesMs.sort((a, b) => a - b)[4]).toBeLessThan(1_000);
  });

  test('claims by statistics of a time when nothing waited: an outage of AMLYZE piles up records, and no claim reads them all', async () => {
    const accounts = await outbox.rows.accounts(2_000);
    await withoutAutovacuum();
    await addRecords(db(), accounts, { from: 1, upTo: 10, state: settledAs() });
    await db().query('analyze amlyze_record, record_state');
    await addRecords(db(), accounts, { from: 11, upTo: 30 });
    const looks = await db().transaction(async (tx) => {
      const before = await rowsLookedAt(tx, RECORD_TABLES);
      const round = async (): Promise<void> => {
        const batch = await claimDue(tx, { ...REQUEST, limit: 100 });
        if (!batch) throw new Error('nothing was claimed');
        await claimGroup(tx, REQUEST);
        await extendLeases(tx, [batch.attemptId], 30);
        await takeBackExpired(tx);
        await settleAccepted(tx, batch);
      };
      for (let n = 0; n < 8; n += 1) await round();
      return ((await rowsLookedAt(tx, RECORD_TABLES)) - before) / (8 * 100);
    });
    expect(looks).toBeLessThan(12);
  });

  test('claims and takes back by plans that were made in an outbox which was analyzed before its first record', async () => {
    const accounts = await outbox.rows.accounts(2_000);
    await withoutAutovacuum();
    await db().query('vacuum analyze amlyze_record, record_state, delivery_attempt');
    const looks = await db().transaction(async (tx) => {
      await openEndpoint(tx, 'operations');
      const turn = {
        endpoint: 'operations',
        replica: 'test',
        leaseSeconds: 30,
        limit: 16,
        generation: '0',
        probe: false,
      };
      const look = async (): Promise<(number | undefined)[]> => [
        (await claimDue(tx, REQUEST))?.records.length,
        (await takeTurn(tx, [], { ...turn, channel: 'operation-single', exceptIds: [], dueFrom: undefined })).promised
          .length,
        (await takeBackExpired(tx, 1)).records,
      ];
      // More than five times, so that the server makes one plan for all parameters, and keeps it.
      for (let n = 0; n < 8; n += 1) expect(await look()).toEqual([undefined, 0, 0]);
      await addRecords(tx, accounts, { from: 1, upTo: 4 });
      await addRecords(tx, accounts, { from: 5, upTo: 5, state: sendingWith('r.account_id') });
      await tx.query(
        `insert into delivery_attempt (id, endpoint, records, replica, lease_until, record_ids)
select 1000000 + n, 'balances', 100, 'dead', now() - interval '1 minute', array_agg(record_id)
from (select record_id, (row_number() over (order by record_id) - 1) / 100 as n from record_state where state = 'sending') s group by n`,
      );
      await tx.query(
        `update record_state set attempt_id = a.id from delivery_attempt a where state = 'sending' and record_id = any(a.record_ids)`,
      );
      await tx.query(
        `insert into amlyze_record (communication_number, kind, channel, operation_ext_id, payload)
select gen_random_uuid(), 'operation', 'operation-single', 'op', '{}' from generate_series(1, 100)`,
      );
      await giveState(tx);
      const before = await rowsLookedAt(tx, RECORD_TABLES);
      expect(await look()).toEqual([100, 16, 100]);
      return (await rowsLookedAt(tx, RECORD_TABLES)) - before;
    });
    expect(looks).toBeLessThan(12 * (100 + 16 + 100));
  });

  test('settles no record by reading all that are being sent, by plans that were made when there were few', async () => {
    const [account] = await outbox.rows.accounts(1);
    const read = await db().transaction(async (tx) => {
      const add = async (count: number, state: Readonly<Record<string, string>>): Promise<void> => {
        await tx.query(
          `insert into amlyze_record (communication_number, kind, account_id, account_ext_id, balance_type, balance_at, value, payload)
select gen_random_uuid(), 'balance', $1, 'A', gen_random_uuid(), now(), 1, '{}' from generate_series(1, $2::integer)`,
          [account, count],
        );
        await giveState(tx, state);
      };
      const claim = async (): Promise<ClaimedBatch> => {
        await add(8, {});
        const batch = await claimDue(tx, { ...REQUEST, limit: 8 });
        if (batch?.records.length !== 8) throw new Error('nothing was claimed');
        return batch;
      };
      // More than five times, so that the server makes one plan for all parameters, and keeps it.
      for (let n = 0; n < 8; n += 1) await settleAccepted(tx, await claim());
      const batch = await claim();
      await add(4_000, sendingWith('1000000'));
      const before = await rowsLookedAt(tx, RECORD_TABLES);
      expect((await settleAccepted(tx, batch)).size).toBe(0);
      return (await rowsLookedAt(tx, RECORD_TABLES)) - before;
    });
    expect(read).toBeLessThanOrEqual(8 * 12);
  });

  test('reads no more attempts than it completes, by plans that were made when there were none', async () => {
    await openEndpoint(db(), 'operations');
    const claim = { channel: 'operation-single', endpoint: 'operations', replica: 'test', leaseSeconds: 30 } as const;
    const read = await db().transaction(async (tx) => {
      const round = async (): Promise<void> => {
        await tx.query(
          `insert into amlyze_record (communication_number, kind, channel, operation_ext_id, payload)
select gen_random_uuid(), 'operation', 'operation-single', 'op', '{}' from generate_series(1, 8)`,
        );
        await giveState(tx);
        const more = { limit: 8, generation: '0', probe: false, exceptIds: [], dueFrom: undefined };
        const { promised } = await takeTurn(tx, [], { ...claim, ...more });
        expect(promised).toHaveLength(8);
        const calls = promised.map(({ record, attemptId }): SettledCall => ({
          attemptId,
          settlements: [{ record, state: 'accepted', inDoubt: false, verdict: 'accepted' }],
          end: { outcome: 'answered' },
        }));
        expect((await takeTurn(tx, calls.slice(0, 4), undefined)).late.size).toBe(0);
        expect((await settleCalls(tx, calls.slice(4))).size).toBe(0);
      };
      // More than five times, so that the server makes one plan for all parameters, and keeps it.
      for (let n = 0; n < 8; n += 1) await round();
      await tx.query(
        `insert into delivery_attempt (endpoint, records, replica, finished_at, outcome)
select 'operations', 1, 'test', now(), 'answered' from generate_series(1, 20000)`,
      );
      const before = await rowsLookedAt(tx, ['delivery_attempt']);
      await round();
      return (await rowsLookedAt(tx, ['delivery_attempt'])) - before;
    });
    expect(read).toBeLessThanOrEqual(8 * 3);
  });

  test('logging a batch compares no settlement with every other, in the first plan and in the one that is kept', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(8 * 100));
    const session = new Client({ connectionString: outbox.url, options: PLANNER_OPTIONS.join(' ') });
    const plans: string[] = [];
    session.on('notice', ({ message }) => plans.push(message ?? ''));
    await session.connect();
    try {
      await session.query(
        `load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_analyze = on; set auto_explain.log_level = notice`,
      );
      const db: Queryable = {
        query: async <T>(sql: Sql, values: readonly unknown[] = []) =>
          (await session.query(typeof sql === 'string' ? { text: sql } : sql, [...values])).rows as T[],
      };
      for (let round = 0; round < 8; round += 1) {
        const batch = await claimDue(db, REQUEST);
        if (batch?.records.length !== REQUEST.limit) throw new Error('no full batch was claimed');
        await settleAccepted(db, batch);
      }
    } finally {
      await session.end();
    }
    const settlements = plans.filter((plan) => plan.includes('Insert on delivery_result'));
    expect(settlements).toHaveLength(8);
    for (const plan of settlements) {
      // `s` is what is asked about each settlement: was it still ours? The list is read once, into a hash.
      const readings = [...plan.matchAll(/CTE Scan on settled s .*loops=(\d+)/g)].map(([, loops]) => loops);
      expect(readings).toEqual(['1']);
    }
  });
});

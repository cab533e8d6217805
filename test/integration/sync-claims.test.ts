import type { Database, Queryable } from '../../src/shared/database';
import { moveAccounts } from '../../src/accounts/account-writes';
import { claimReads, extendReadLeases, type ClaimedSubject, type ReadClaim } from '../../src/sync/claim-reads';
import { grantCalls, returnCalls } from '../../src/sync/pace';
import { finishRuns, openManualRun } from '../../src/sync/runs';
import type { SubjectResult } from '../../src/sync/subject-result';
import { loadSubjects, type QueuePlace } from '../../src/sync/subject-state';
import { writeReadings, type Writing } from '../../src/sync/write-readings';
import { eventually } from '../support/eventually';
import { sharedDatabase, type TestDatabase } from '../support/postgres';

const writing: Writing = {
  identity: { installationId: '0123456789ab', prefix: 'obg-', requester: 'test', businessUnit: undefined },
  stepsToJson: () => null,
};

/** The queue of reads between replicas that share nothing but the database. */
describe('claims of reads', () => {
  let test: TestDatabase;
  let connectionId: string;
  let consentId: string;

  const shared = sharedDatabase();

  beforeEach(async () => {
    test = shared();
    [connectionId, consentId] = await registry();
  });

  async function one<T>(sql: string, values: unknown[] = []): Promise<T> {
    const [row] = await test.database.query<T>(sql, values);
    if (!row) throw new Error(`no row: ${sql}`);
    return row;
  }

  async function registry(): Promise<[string, string]> {
    const connection = await one<{ id: string }>(
      `insert into connection (name, provider, base_url) values ('bank', 'mypos', 'https://bank.example') returning id`,
    );
    const consent = await one<{ id: string }>(
      `insert into consent (connection_id, consent_id) values ($1, 'c') returning id`,
      [connection.id],
    );
    return [connection.id, consent.id];
  }

  async function addAccounts(count: number, db: Queryable = test.database, from = 1): Promise<void> {
    await db.query(
      `with subjects as (
  insert into access_subject (consent_id, provider_account_id) select $2, 'N' || n from generate_series($4::integer, $4 + $3::integer - 1) as n
  returning id, provider_account_id
)
insert into account (connection_id, consent_id, subject_id, provider_account_id, currency, account_ext_id)
select $1, $2, id, provider_account_id, 'EUR', provider_account_id from subjects`,
      [connectionId, consentId, count, from],
    );
  }

  /** Moves the account while its bank is asked, and claims it once more. */
  async function readUnderAnotherConsent(claimed: ClaimedSubject): Promise<ClaimedSubject> {
    const { id: other } = await one<{ id: string }>(
      `insert into consent (connection_id, consent_id) values ($1, 'd') returning id`,
      [connectionId],
    );
    const [account] = claimed.accounts;
    await test.database.transaction((tx) =>
      moveAccounts(tx, [{ accountId: account?.accountId ?? '', consentId: other }]),
    );
    return first(claim('other'));
  }

  async function openRun(): Promise<string> {
    return test.database.transaction(async (tx) => {
      const run = await openManualRun(tx, { scope: { connectionId }, force: false, reason: undefined });
      return run.runId;
    });
  }

  async function claim(
    replica: string,
    quota = 10,
    accessScope: 'account' | 'consent' = 'account',
  ): Promise<ClaimedSubject[]> {
    const quotas = [{ connectionId, quota, accessScope, accessWindow: 'rolling-24h' as const, timeZone: undefined }];
    const wanted: ReadClaim = { quotas, replica, leaseSeconds: 30 };
    return (await claimReads(test.database, wanted)).subjects;
  }

  function result(subject: ClaimedSubject, value = '1.00', more: Partial<SubjectResult> = {}): SubjectResult {
    const fetchedAt = new Date();
    const balance = {
      balanceType: 'STATEMENT_BALANCE',
      providerType: 'available',
      value,
      balanceAt: fetchedAt.toISOString(),
      balanceAtSource: 'fetch' as const,
    };
    return {
      subject,
      readings: subject.accounts.map((account) => ({
        account,
        outcome: 'READ',
        reason: undefined,
        nextReadAt: undefined,
        steps: [],
        balances: [balance],
      })),
      fetchedAt,
      call: { failed: false, httpStatus: 200, latencyMs: 1, body: '{}' },
      spent: true,
      repeatAfterMs: undefined,
      stop: undefined,
      settingsHash: 'h',
      ...more,
    };
  }

  async function first<T>(found: Promise<T[]>): Promise<T> {
    const [item] = await found;
    if (item === undefined) throw new Error('nothing was found');
    return item;
  }

  const expireLeases = (): Promise<unknown> =>
    test.database.query(
      `update access_subject set lease_until = now() - interval '1 second' where lease_until is not null`,
    );

  async function records(): Promise<string[]> {
    const rows = await test.database.query<{ value: string }>('select value from record_with_state order by id');
    return rows.map(({ value }) => value);
  }

  it('made by eight replicas at once never overlap', async () => {
    await addAccounts(60);
    await openRun();
    const claimed = (await Promise.all(Array.from({ length: 8 }, (_, n) => claim(`r${n}`)))).flat();
    const ids = claimed.map(({ state }) => state.subjectId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThanOrEqual(50);
  });

  it('under way are renewed although one of them has just been written', async () => {
    await addAccounts(2);
    await openRun();
    const [done, under] = await claim('a');
    if (!done || !under) throw new Error('nothing was claimed');
    await writeReadings(test.database, [result(done)], writing);
    await extendReadLeases(test.database, [done, under], 3_600);
    const leases = await test.database.query<{ id: string; hours: number | null }>(
      `select id, round(extract(epoch from lease_until - now()) / 3600)::int as hours from access_subject order by id`,
    );
    expect(leases).toEqual([
      { id: done.state.subjectId, hours: null },
      { id: under.state.subjectId, hours: 1 },
    ]);
  });

  it('are renewed without waiting for a read that is being written', async () => {
    await addAccounts(2);
    await openRun();
    const [writing, under] = await claim('a');
    if (!writing || !under) throw new Error('nothing was claimed');
    await test.database.transaction(async (tx) => {
      await tx.query('select 1 from access_subject where id = $1 for update', [writing.state.subjectId]);
      await extendReadLeases(test.database, [writing, under], 3_600);
      const [row] = await tx.query<{ renewed: boolean }>(
        `select lease_until > now() + interval '50 minutes' as renewed from access_subject where id = $1`,
        [under.state.subjectId],
      );
      expect(row).toEqual({ renewed: true });
    });
  });

  it('go on behind the place where the last one came to, and find what is before it without a place', async () => {
    await addAccounts(6);
    await openRun();
    const quota = {
      connectionId,
      quota: 2,
      accessScope: 'account',
      accessWindow: 'rolling-24h',
      timeZone: undefined,
    } as const;
    const take = async (after?: QueuePlace): Promise<{ numbers: string[]; place: QueuePlace | undefined }> => {
      const quotas = [{ ...quota, ...(after && { after }) }];
      const { subjects, reached } = await claimReads(test.database, { quotas, replica: 'a', leaseSeconds: 30 });
      return { numbers: subjects.map(({ state }) => state.providerAccountId).sort(), place: reached.get(connectionId) };
    };
    const begin = await take();
    expect(begin.numbers).toEqual(['N1', 'N2']);
    await expireLeases();
    const behind = await take(begin.place);
    expect(behind.numbers).toEqual(['N3', 'N4']);
    expect((await take(behind.place)).numbers).toEqual(['N5', 'N6']);
    expect((await take(behind.place)).numbers).toEqual([]);
    expect((await take()).numbers).toEqual(['N1', 'N2']);
  });

  it('and their writes look up no more rows than they concern, by plans that were made while the run was small', async () => {
    await addAccounts(80);
    const runId = await openRun();
    const looks = await test.database.transaction(async (tx) => {
      // More than five times, so that the server makes one plan for all parameters, and keeps it.
      for (let n = 0; n < 8; n += 1) await readSome(tx, 10);
      await addAccounts(5_000, tx, 81);
      await fillRun(tx, runId);
      return looksPerAccount(tx, () => readSome(tx, 100), 100);
    });
    expectFewLooks(looks);
  });

  it('and their writes do so by statistics of the night, when nothing waited: a slot opens with the queue of all accounts', async () => {
    await addAccounts(5_000);
    const night = await openRun();
    const looks = await test.database.transaction(async (tx) => {
      await tx.query(
        `with done as (insert into balance_reading (account_id, run_id, outcome) select id, $1, 'READ' from account)
delete from waiting_account where run_id = $1`,
        [night],
      );
      await tx.query('analyze');
      const { id } = await first(
        tx.query<{ id: string }>(
          `insert into sync_run (trigger, scope) values ('resync', '{"all": true}') returning id`,
        ),
      );
      await fillRun(tx, id);
      for (let n = 0; n < 8; n += 1) await readSome(tx, 10);
      return looksPerAccount(tx, () => readSome(tx, 100), 100);
    });
    expectFewLooks(looks);
  });

  async function fillRun(tx: Queryable, runId: string): Promise<void> {
    await tx.query(
      `insert into waiting_account (run_id, account_id, connection_id, subject_id)
select $1, id, connection_id, subject_id from account on conflict do nothing`,
      [runId],
    );
  }

  /** Claims and writes that many reads, all on one session: what a transaction has looked up is counted for it alone. */
  async function readSome(tx: Queryable, count: number): Promise<void> {
    const inside: Pick<Database, 'query' | 'transaction'> = {
      query: (sql, values) => tx.query(sql, values),
      transaction: (work) => work(tx),
    };
    const database = inside as Database; // claims and writes use these two methods only
    const quotas = [
      { connectionId, quota: count, accessScope: 'account', accessWindow: 'rolling-24h', timeZone: undefined },
    ] as const;
    const { subjects } = await claimReads(database, { quotas, replica: 'a', leaseSeconds: 30 });
    expect(subjects).toHaveLength(count);
    await writeReadings(
      database,
      subjects.map((subject) => result(subject)),
      writing,
    );
    await finishRuns(database);
  }

  async function looksPerAccount(
    tx: Queryable,
    work: () => Promise<void>,
    accounts: number,
  ): Promise<{ name: string; perAccount: number }[]> {
    const read = async (): Promise<Record<string, number>> => {
      const rows = await tx.query<{ name: string; n: string }>(
        `select relname as name, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) as n from pg_stat_xact_user_tables
where relname in ('waiting_account', 'access_subject', 'account', 'amlyze_record', 'record_state')`,
      );
      return Object.fromEntries(rows.map(({ name, n }) => [name, Number(n)]));
    };
    const before = await read();
    await work();
    return Object.entries(await read()).map(([name, n]) => ({
      name,
      perAccount: (n - (before[name] ?? 0)) / accounts,
    }));
  }

  /** Each row is looked at by the claim, the load, the write and the keys of what refers to it. */
  function expectFewLooks(looks: readonly { name: string; perAccount: number }[]): void {
    const names = looks.map(({ name }) => name).sort();
    expect(names).toEqual(['access_subject', 'account', 'amlyze_record', 'record_state', 'waiting_account']);
    expect(looks.filter(({ perAccount }) => perAccount > 12)).toEqual([]);
  }

  it('last as long as the lease is renewed, and not longer', async () => {
    await addAccounts(1);
    await openRun();
    const held = await first(claim('living'));
    expect(await claim('other')).toEqual([]);
    await expireLeases();
    await extendReadLeases(test.database, [held], 30);
    expect(await claim('other')).toEqual([]);
    await expireLeases();
    const taken = await first(claim('other'));
    expect(BigInt(taken.state.epoch)).toBe(BigInt(held.state.epoch) + 1n);
    await extendReadLeases(test.database, [held], 3_600);
    const { left } = await one<{ left: number }>(
      `select extract(epoch from lease_until - now())::float8 as left from access_subject`,
    );
    expect(left).toBeLessThan(60);
  });

  it('that were taken over drop the late result of the zombie; the new holder writes', async () => {
    await addAccounts(1);
    const runId = await openRun();
    const zombie = await first(claim('zombie'));
    await expireLeases();
    const heir = await first(claim('heir'));
    const late = await writeReadings(test.database, [result(zombie, '666')], writing);
    expect(late).toMatchObject({ records: 0, readings: [], late: [{ subject: { requestId: zombie.requestId } }] });
    expect(await records()).toEqual([]);
    expect(await finishRuns(test.database)).toEqual([]);
    expect(await writeReadings(test.database, [result(heir, '1.00')], writing)).toMatchObject({
      records: 1,
      late: [],
    });
    expect(await records()).toEqual(['1.00']);
    expect(await writeReadings(test.database, [result(zombie, '666')], writing)).toMatchObject({ records: 0 });
    expect(await records()).toEqual(['1.00']);
    expect(await finishRuns(test.database)).toMatchObject([{ runId, missing: 0 }]);
  });

  it('leave a run that does not add up where an account was lost, and say so', async () => {
    await addAccounts(2);
    const runId = await openRun();
    const [subject] = await claim('r', 1);
    if (!subject) throw new Error('nothing was claimed');
    await writeReadings(test.database, [result(subject, '1.00')], writing);
    await test.database.query('delete from waiting_account');
    expect(await finishRuns(test.database)).toMatchObject([{ runId, accounts: 2, outcomes: { READ: 1 }, missing: 1 }]);
  });

  it('keep a run from ending, and being counted, before a record is there that an account moved to another consent brings late', async () => {
    await addAccounts(2);
    const runId = await openRun();
    const [moved] = await claim('r');
    if (!moved) throw new Error('nothing was claimed');
    await writeReadings(test.database, [result(await readUnderAnotherConsent(moved))], writing);
    const alsoKeep = async (): Promise<void> => {
      const free = 'select from sync_run where id = $1 for no key update skip locked';
      expect(await test.database.query(free, [runId])).toEqual([]);
    };
    expect(await writeReadings(test.database, [result(moved, '2.00')], { ...writing, alsoKeep })).toMatchObject({
      records: 1,
    });
    expect.assertions(2);
  });

  it('count an account once that was moved to another consent, and read under that one too, while its bank was asked', async () => {
    await addAccounts(2);
    const runId = await openRun();
    const [moved, stays] = await claim('r');
    if (!moved || !stays) throw new Error('nothing was claimed');
    const [account] = moved.accounts;
    const again = await readUnderAnotherConsent(moved);
    await writeReadings(test.database, [result(again), result(stays)], writing);
    expect(await finishRuns(test.database)).toMatchObject([{ runId, missing: 0 }]);
    await test.database.query(`update sync_run set records = '{"accepted": 2}'`);
    await writeReadings(test.database, [result(moved, '2.00')], writing);
    // The run has one more record than was counted.
    expect(await one('select records from sync_run')).toEqual({ records: null });
    expect(
      await test.database.query('select account_id, final from balance_reading order by account_id, final desc'),
    ).toEqual([
      { account_id: account?.accountId, final: true },
      { account_id: account?.accountId, final: false },
      { account_id: stays.accounts[0]?.accountId, final: true },
    ]);
  });

  it('find an account under the consent that it was moved to while its run was being filled', async () => {
    await addAccounts(1);
    const { id: other } = await one<{ id: string }>(
      `insert into consent (connection_id, consent_id) values ($1, 'd') returning id`,
      [connectionId],
    );
    const { id: accountId } = await one<{ id: string }>('select id from account');
    await test.database.transaction(async (filling) => {
      await openManualRun(filling, { scope: { connectionId }, force: false, reason: undefined });
      await test.database.transaction((moving) => moveAccounts(moving, [{ accountId, consentId: other }]));
    });
    const deserted = await first(claim('r'));
    expect(deserted).toMatchObject({ accounts: [], state: { consentRowId: consentId } });
    await writeReadings(test.database, [result(deserted)], writing);
    const [found, ...more] = await claim('r');
    expect(found).toMatchObject({ accounts: [{ accountId }], denial: undefined, state: { consentRowId: other } });
    expect(more).toEqual([]);
    expect(await test.database.query('select consent_id from access_ledger')).toEqual([{ consent_id: other }]);
  });

  it('write a record for the account that AMLYZE is to see by then, not for the one at the time of the claim', async () => {
    await addAccounts(2);
    await openRun();
    const claimed = await claim('r');
    await test.database.query(
      `update account set account_ext_id = 'renamed', business_unit = 'north' where provider_account_id = 'N2'`,
    );
    await writeReadings(
      test.database,
      claimed.map((subject) => result(subject)),
      writing,
    );
    expect(
      await test.database.query(
        `select account_ext_id, business_unit, payload::jsonb ->> 'accountExtId' as sent from amlyze_record order by id`,
      ),
    ).toEqual([
      { account_ext_id: 'N1', business_unit: null, sent: 'N1' },
      { account_ext_id: 'renamed', business_unit: 'north', sent: 'renamed' },
    ]);
  });

  it('end where nothing waits for the subject any more when its result is written', async () => {
    await addAccounts(1);
    await openRun();
    const held = await first(claim('r'));
    const nobody = result({ ...held, accounts: [] });
    expect(await writeReadings(test.database, [nobody], writing)).toMatchObject({ records: 0, readings: [], late: [] });
    expect(await one('select claimed_by from access_subject')).toEqual({ claimed_by: null });
  });

  it('end a run whose readings are counted in several steps', async () => {
    await addAccounts(5);
    const runId = await openRun();
    const [failed, ...others] = await claim('r');
    if (!failed) throw new Error('nothing was claimed');
    const failure = { outcome: 'BANK_ERROR', reason: '400' } as const;
    const readings = result(failed).readings.map((reading) => ({ ...reading, ...failure, balances: [] }));
    const all = [result(failed, '1.00', { readings }), ...others.map((subject) => result(subject))];
    await writeReadings(test.database, all, writing);
    expect(await finishRuns(test.database, 2)).toMatchObject([{ runId, missing: 0 }]);
    expect(await one('select outcomes from sync_run')).toEqual({ outcomes: { READ: 4, BANK_ERROR: 1 } });
  });

  it('drop the zombie also where both results come in one group', async () => {
    await addAccounts(1);
    await openRun();
    const zombie = await first(claim('same'));
    await expireLeases();
    const heir = await first(claim('same'));
    await writeReadings(test.database, [result(zombie, '666'), result(heir, '1.00')], writing);
    expect(await records()).toEqual(['1.00']);
  });

  it('write a result once, also when it is written again because the answer to the commit was lost', async () => {
    await addAccounts(1);
    await openRun();
    const held = await first(claim('r'));
    await writeReadings(test.database, [result(held)], writing);
    await writeReadings(test.database, [result(held)], writing);
    expect(await one('select count(*)::int as n from balance_reading')).toEqual({ n: 1 });
    expect(await records()).toEqual(['1.00']);
  });

  it('write reading, record, run and release together or not at all', async () => {
    await addAccounts(1);
    await openRun();
    const held = await first(claim('r'));
    // No interval takes it: the statement after readings, record and run fails.
    const stop = { scope: 'account', kind: 'wait', reason: 'x', forMs: Number.NaN } as const;
    await expect(writeReadings(test.database, [result(held, '1.00', { stop })], writing)).rejects.toThrow();
    expect(await records()).toEqual([]);
    expect(await one('select count(*)::int as n from balance_reading')).toEqual({ n: 0 });
    expect(await one('select claimed_by from access_subject')).toEqual({ claimed_by: 'r' });
    expect(await one('select count(*)::int as n from waiting_account')).toEqual({ n: 1 });
  });

  it('make no second call when another replica has finished the read meanwhile', async () => {
    await addAccounts(1);
    await openRun();
    await writeReadings(test.database, [result(await first(claim('r')))], writing);
    expect(await claim('other')).toEqual([]);
    expect(await one('select count(*)::int as n from access_ledger')).toEqual({ n: 1 });
  });

  it('are never more, of all replicas together, than the failures that the bank bears before it suspends us', async () => {
    await addAccounts(20);
    await openRun();
    const limited = async (replica: string): Promise<ClaimedSubject[]> => {
      const account = { accessScope: 'account', accessWindow: 'rolling-24h', timeZone: undefined } as const;
      const quotas = [{ connectionId, quota: 5, ...account, failuresBorne: 7 }];
      return (await claimReads(test.database, { quotas, replica, leaseSeconds: 30 })).subjects;
    };
    const claimed = (await Promise.all(['a', 'b', 'c'].map(limited))).flat();
    expect(claimed).toHaveLength(7);
    await writeReadings(
      test.database,
      claimed.slice(0, 2).map((subject) => result(subject)),
      writing,
    );
    await test.database.query('insert into connection_health (connection_id, failed_in_row) values ($1, 1)', [
      connectionId,
    ]);
    // Two calls are over, and one of them has failed.
    expect(await limited('d')).toHaveLength(1);
  });

  it("cannot both take the last read of a consent's budget", async () => {
    await addAccounts(2);
    await openRun();
    await test.database.query(`update consent set frequency_per_day = 1`);
    // The first replica has claimed and counted, and has not committed yet.
    const gate = Promise.withResolvers<void>();
    const inside = Promise.withResolvers<void>();
    const slow = test.database.transaction(async (tx) => {
      await tx.query('select 1 from access_subject where id = (select min(id) from access_subject) for update');
      await tx.query('select 1 from consent where id = $1 for update', [consentId]);
      await tx.query(
        `insert into access_ledger (subject_id, consent_id, purpose, request_id) select min(id), $1, 'resync', gen_random_uuid() from access_subject`,
        [consentId],
      );
      inside.resolve();
      await gate.promise;
    });
    await inside.promise;
    let done = false;
    const second = claim('second', 10, 'consent').finally(() => (done = true));
    await eventually('the second replica waits for the first, or has not waited', async () => {
      const rows = await test.database.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length > 0 || done;
    });
    gate.resolve();
    await slow;
    expect((await second).map(({ denial }) => denial?.outcome)).toEqual(['BUDGET_EXHAUSTED']);
  });

  it('count the reads of a subject that other replicas have just committed', async () => {
    await addAccounts(20);
    await test.database.query(`update consent set frequency_per_day = 3`);
    for (let round = 0; round < 5; round++) {
      await openRun();
      const claimed = (await Promise.all([claim('a', 20), claim('b', 20)])).flat();
      await writeReadings(
        test.database,
        claimed.map((subject) => result(subject)),
        writing,
      );
      await finishRuns(test.database);
    }
    const most = await one<{ n: number }>(
      `select max(n) as n from (select count(*)::int as n from access_ledger group by subject_id) c`,
    );
    expect(most).toEqual({ n: 3 });
  });

  it('find the reads of a window by an index, however long the ledger is', async () => {
    // What other tests deleted has entries in the index, which would be counted.
    await test.database.query('truncate access_ledger');
    await addAccounts(100);
    await test.database.query(
      `insert into access_ledger (subject_id, consent_id, purpose, request_id, read_at)
select s.id, s.consent_id, 'schedule', gen_random_uuid(), now() - n * interval '8 hours 1 minute' from access_subject s, generate_series(1, 500) as n`,
    );
    // A vacuum in between would let the index alone answer, without a fetch.
    await test.database.query('alter table access_ledger set (autovacuum_enabled = false)');
    await test.database.query('analyze access_ledger');
    const scans = async (tx: Queryable): Promise<number[]> => {
      const [counts] = await tx.query<{ n: number[] }>(
        `select array[seq_scan, idx_scan, idx_tup_fetch]::int[] as n from pg_stat_xact_user_tables where relname = 'access_ledger'`,
      );
      return counts?.n ?? [];
    };
    const [inSequence, byIndex, fetched] = await test.database.transaction(async (tx) => {
      // What the session did for other tests may not have been told to the server yet.
      const before = await scans(tx);
      const subjects = await tx.query<{ id: string }>('select id from access_subject');
      const quota = { connectionId, quota: 100, accessWindow: 'rolling-24h', timeZone: undefined } as const;
      const ids = subjects.map(({ id }) => id);
      const used = await loadSubjects(tx, ids, [{ ...quota, accessScope: 'account' }]);
      expect(new Set(used.map(({ subject }) => subject.used))).toEqual(new Set([2]));
      const after = await scans(tx);
      return after.map((count, at) => count - Number(before[at]));
    });
    // The two reads of each account, and nothing of what is beside them in the index; a look-up for yesterday and one for today. Beside
    // them the latest read of all, which says where the window ends.
    expect([inSequence, fetched]).toEqual([0, 2 * 100 + 1]);
    expect(byIndex).toBeLessThanOrEqual(2 * 100 + 1);
  });

  it('count reads that are later than now, as a clock leaves them that is set back over midnight', async () => {
    await addAccounts(1);
    await test.database.query(
      `insert into access_ledger (subject_id, consent_id, purpose, request_id, read_at)
select id, consent_id, 'schedule', gen_random_uuid(), (date_trunc('day', now() at time zone 'UTC') + interval '1 day 1 minute') at time zone 'UTC' from access_subject`,
    );
    const [subject] = await test.database.query<{ id: string }>('select id from access_subject');
    const quota = {
      connectionId,
      quota: 1,
      accessScope: 'account',
      accessWindow: 'rolling-24h',
      timeZone: undefined,
    } as const;
    const used = await test.database.transaction((tx) => loadSubjects(tx, [subject?.id ?? ''], [quota]));
    expect(used).toMatchObject([{ subject: { used: 1 } }]);
  });

  describe('under requestsPerSecond', () => {
    const want = (calls: number, requestsPerSecond: number) => [{ connectionId, calls, requestsPerSecond }];
    const granted = async (calls: number, perSecond: number): Promise<number> =>
      (await grantCalls(test.database, want(calls, perSecond))).get(connectionId)?.calls ?? -1;
    const passes = (interval: string): Promise<unknown> =>
      test.database.query(`update connection_pace set next_call_at = next_call_at - $1::interval`, [interval]);

    it('one call is granted at a time, however many replicas ask, and the next after one interval', async () => {
      const asked = await Promise.all(Array.from({ length: 8 }, () => granted(10, 0.5)));
      expect(asked.reduce((sum, calls) => sum + calls, 0)).toBe(1);
      const wait = (await grantCalls(test.database, want(1, 0.5))).get(connectionId);
      expect(wait).toMatchObject({ calls: 0 });
      expect(wait?.waitMs).toBeGreaterThan(1_500);
      expect(wait?.waitMs).toBeLessThanOrEqual(2_000);
      await passes('2 seconds');
      expect(await granted(10, 0.5)).toBe(1);
      expect(await granted(10, 0.5)).toBe(0);
    });

    it('quiet hours are not saved up for a burst', async () => {
      await granted(1, 2);
      await passes('1 hour');
      expect(await granted(10, 2)).toBe(1);
      expect(await granted(10, 2)).toBe(0);
    });

    it('never more than is wanted, and what was not used is given back', async () => {
      expect(await granted(1, 500)).toBe(1);
      await passes('1 second');
      expect(await granted(3, 500)).toBe(3);
      await test.database.query('delete from connection_pace');
      expect(await granted(1, 0.1)).toBe(1);
      await returnCalls(test.database, want(1, 0.1));
      expect(await granted(1, 0.1)).toBe(1);
      expect(await granted(1, 0.1)).toBe(0);
    });
  });
});

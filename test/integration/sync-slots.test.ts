import { fillNextStep, finishRuns, openManualRun, openScheduledRun, type OpenedRun } from '../../src/sync/runs';
import { addMyposAccount, callsOf, type AddedAccount } from '../support/bank-accounts';
import { eventually } from '../support/eventually';
import { Outside, registerMypos, TestGateway, type Json } from '../support/gateway';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

/** One slot a day; the newest is missed by any installation that is older than a day. */
const DAILY = { SYNC_CRON: '0 0 * * *' };
const ACCOUNTS = 12;

describe('slots', () => {
  let testDatabase: TestDatabase;
  let outside: Outside;

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    outside = await Outside.start();
  });

  afterEach(async () => {
    await outside.close();
    await testDatabase.drop();
  });

  /** Accounts of an installation that stands since three days and has never met a slot. */
  async function standingInstallation(accounts = ACCOUNTS): Promise<AddedAccount[]> {
    const gateway = await TestGateway.start(testDatabase, outside);
    const { consentId } = await registerMypos(gateway, outside);
    const added: AddedAccount[] = [];
    for (let i = 0; i < accounts; i++) added.push(await addMyposAccount({ gateway, outside }, consentId));
    await gateway.close();
    await testDatabase.database.query(`update installation set created_at = now() - interval '3 days'`);
    await testDatabase.database.query(`update account set created_at = now() - interval '3 days'`);
    return added;
  }

  async function startAll(count: number): Promise<TestGateway[]> {
    return Promise.all(Array.from({ length: count }, () => TestGateway.start(testDatabase, outside, DAILY)));
  }

  it('are served once by three gateways that start at once, together with ten resyncs: one run, one call an account', async () => {
    const accounts = await standingInstallation();
    // Slow enough that the run goes on while the resyncs come in.
    await outside.mypos.addFault({ do: { kind: 'latency', ms: 400 } });
    const gateways = await startAll(3);
    const [gateway] = gateways;
    if (!gateway) throw new Error('no gateway');
    try {
      const [run] = await eventually('the run is open', async () => {
        const runs = await gateway.list('/admin/runs');
        return runs.length > 0 && runs;
      });
      const asked = [...gateways, ...gateways, ...gateways, gateway];
      const resyncs = await Promise.all(
        asked.map(async (each): Promise<Json> => each.ok('POST', '/admin/resync', { all: true })),
      );
      expect(resyncs.map(({ runId }: Json) => runId)).toEqual(Array(10).fill(run.id));
      expect(await gateway.finished(run.id)).toMatchObject({ trigger: 'schedule', outcomes: { READ: ACCOUNTS } });
      for (const { number } of accounts) expect(await callsOf(outside.mypos, number)).toBe(1);
      await gateway.delivered();
      expect(await gateway.list('/admin/runs')).toHaveLength(1);
      expect(await outside.amlyze.ledger()).toHaveLength(ACCOUNTS);
    } finally {
      await Promise.all(gateways.map((each) => each.close()));
    }
  });

  it('are filled by whoever is there, where the replica that opened the run is no more', async () => {
    await standingInstallation();
    const [run] = await testDatabase.database.query<{ id: string }>(
      `insert into sync_run (trigger, slot, scope, filled_to) select 'schedule', date_trunc('day', now(), 'UTC'), '{"all": true}', 0 returning id`,
    );
    const gateways = await startAll(2);
    try {
      expect(await gateways[0]?.finished(run?.id ?? '')).toMatchObject({
        accounts: ACCOUNTS,
        outcomes: { READ: ACCOUNTS },
      });
    } finally {
      await Promise.all(gateways.map((each) => each.close()));
    }
  });

  it('keep no gateway from answering while the first of its beats is held up', async () => {
    await standingInstallation(1);
    const { database } = testDatabase;
    // The very wait: one that a later beat begins, after Postgres has ended this one, is another.
    const opening = async (): Promise<Date | undefined> => {
      const [waiting] = await database.query<{ since: Date }>(
        `select query_start as since from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock' and query like 'insert into sync_run%'`,
      );
      return waiting?.since;
    };
    let starting: Promise<TestGateway> | undefined;
    try {
      await database.transaction(async (tx) => {
        await tx.query('lock table sync_run in share mode');
        starting = TestGateway.start(testDatabase, outside, DAILY);
        const since = await eventually('the beat waits for the lock', opening);
        const { url } = await starting;
        expect((await fetch(`${url}/health/live`)).status).toBe(200);
        expect(await opening()).toEqual(since);
      });
      const gateway = await starting;
      const run = await eventually('the run is open all the same', async () => {
        const [first] = (await gateway?.list('/admin/runs')) ?? [];
        return first;
      });
      expect(await gateway?.finished(run.id)).toMatchObject({ trigger: 'schedule', accounts: 1 });
    } finally {
      await (await starting)?.close();
    }
  });

  it('that were missed are not served one by one: the newest is', async () => {
    await standingInstallation(1);
    const gateway = await TestGateway.start(testDatabase, outside, DAILY);
    try {
      const [run] = await eventually('the run is open', async () => {
        const runs = await gateway.list('/admin/runs');
        return runs.length > 0 && runs;
      });
      await gateway.finished(run.id);
      const [clock] = await testDatabase.database.query<{ midnight: Date }>(
        `select date_trunc('day', now(), 'UTC') as midnight`,
      );
      expect(await gateway.list('/admin/runs')).toMatchObject([{ slot: clock?.midnight.toISOString(), accounts: 1 }]);
    } finally {
      await gateway.close();
    }
  });

  it('are served anew where the database has lost their run, as after a failover or a restore', async () => {
    await standingInstallation(1);
    const gateway = await TestGateway.start(testDatabase, outside, DAILY);
    const { database } = testDatabase;
    const opened = async (): Promise<Json> => (await database.query('select id, slot, trigger from sync_run'))[0];
    try {
      const lost = await eventually('the run is open', opened);
      await gateway.finished(lost.id);
      await database.transaction(async (tx) => {
        await tx.query('set local session_replication_role = replica');
        await tx.query('delete from sync_run');
        await tx.query('delete from balance_reading');
      });
      // The sessions end with the server that had the run; the gateway's next ones are with one that never had it.
      await database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name <> 'test'`,
      );
      const run = await eventually('the slot has a run again', opened);
      expect(run).toMatchObject({ trigger: 'schedule', slot: lost.slot });
      expect(run.id).not.toBe(lost.id);
    } finally {
      await gateway.close();
    }
  });

  it('before an installation are not missed by it', async () => {
    const gateway = await TestGateway.start(testDatabase, outside, DAILY);
    try {
      const { consentId } = await registerMypos(gateway, outside);
      await addMyposAccount({ gateway, outside }, consentId);
      const { database } = testDatabase;
      await database.query('update installation set created_at = now()');
      expect(await openScheduledRun(database, new Date(Date.now() - 60_000))).toBeUndefined();
      expect(await gateway.list('/admin/runs')).toEqual([]);
    } finally {
      await gateway.close();
    }
  });

  it('do not concern an account that came after them', async () => {
    const gateway = await TestGateway.start(testDatabase, outside);
    try {
      const { consentId } = await registerMypos(gateway, outside);
      const old = await addMyposAccount({ gateway, outside }, consentId);
      const young = await addMyposAccount({ gateway, outside }, consentId);
      const closed = await addMyposAccount({ gateway, outside }, consentId);
      await gateway.ok('DELETE', `/admin/accounts/${closed.id}`);
      const { database } = testDatabase;
      await database.query(`update installation set created_at = now() - interval '3 days'`);
      await database.query(`update account set created_at = now() - interval '3 days' where id <> $1`, [young.id]);
      const slot = new Date(Date.now() - 7_200_000);
      const run = await openScheduledRun(database, slot);
      expect(run).toMatchObject({ accounts: 1 });
      await gateway.finished(run?.runId ?? '');
      expect(await callsOf(outside.mypos, old.number)).toBe(1);
      expect(await callsOf(outside.mypos, young.number)).toBe(0);
      expect(await openScheduledRun(database, slot)).toBeUndefined();
    } finally {
      await gateway.close();
    }
  });

  it('come from the tick of the clock, not only from a start', async () => {
    // Registered before, so that nothing but the start has to be over when the slot comes.
    const registry = await TestGateway.start(testDatabase, outside);
    const { consentId } = await registerMypos(registry, outside);
    await addMyposAccount({ gateway: registry, outside }, consentId);
    await registry.close();
    await testDatabase.database.query(`update installation set created_at = now() - interval '1 minute'`);
    await testDatabase.database.query(`update account set created_at = now() - interval '1 minute'`);
    const [row] = await testDatabase.database.query<{ at: Date }>(`select now() + interval '2 seconds' as at`);
    const at = row?.at ?? new Date();
    const cron = `${at.getUTCSeconds()} ${at.getUTCMinutes()} ${at.getUTCHours()} ${at.getUTCDate()} ${at.getUTCMonth() + 1} *`;
    const gateway = await TestGateway.start(testDatabase, outside, { SYNC_CRON: cron });
    try {
      const [run] = await eventually('the slot has come', async () => {
        const runs = await gateway.list('/admin/runs');
        return runs.length > 0 && runs;
      });
      at.setUTCMilliseconds(0);
      expect(run).toMatchObject({ slot: at.toISOString(), accounts: 1 });
      await gateway.finished(run.id);
    } finally {
      await gateway.close();
    }
  });

  /** Two connections with 25,000 accounts each. */
  async function fiftyThousandAccounts(): Promise<[connectionId: string, other: string]> {
    const gateway = await TestGateway.start(testDatabase, outside);
    const { connectionId } = await registerMypos(gateway, outside);
    const { connectionId: other } = await registerMypos(gateway, outside);
    const database = testDatabase.database;
    await database.query(`update installation set created_at = now() - interval '3 days'`);
    await gateway.close();
    await database.query(
      `with subjects as (
  insert into access_subject (consent_id, provider_account_id)
  select c.id, 'N' || n from consent c, generate_series(1, 25000) as n returning id, consent_id, provider_account_id
)
insert into account (connection_id, consent_id, subject_id, provider_account_id, currency, account_ext_id, created_at)
select c.connection_id, c.id, s.id, s.provider_account_id, 'EUR', s.consent_id || s.provider_account_id, now() - interval '1 day'
from subjects s join consent c on c.id = s.consent_id`,
    );
    return [connectionId, other];
  }

  it('with more accounts than one statement takes are filled step by step, paused connections at once', async () => {
    const [connectionId, pausedConnection] = await fiftyThousandAccounts();
    const { database } = testDatabase;
    await database.query(
      `update connection set status = 'paused', paused_by = 'operator', paused_at = now(), pause_reason = 'moved' where id = $1`,
      [pausedConnection],
    );
    const run = await openScheduledRun(database, new Date());
    expect(run).toMatchObject({ accounts: 20_000 });
    // What is in it can be read by now; but even if all of it were, the run is not over.
    expect(await database.query('select from waiting_account')).toHaveLength(10_000);
    await database
      .transaction(async (tx) => {
        await tx.query('delete from waiting_account');
        expect(await finishRuns(tx)).toEqual([]);
        throw new Error('taken back');
      })
      .catch((error: unknown) => expect(String(error)).toContain('taken back'));

    // Replicas that come at the same time, and one that dies in the middle of its step.
    await database.transaction(async (tx) => {
      await tx.query('lock table waiting_account in share mode');
      const dying = expect(fillNextStep(database)).rejects.toThrow('terminating connection');
      await eventually('the step is under way', async () => {
        const [killed] = await database.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return killed !== undefined;
      });
      await dying;
    });
    const steps = [
      ...(await Promise.all([fillNextStep(database), fillNextStep(database)])),
      await fillNextStep(database),
    ];
    expect(steps.filter((step) => step !== undefined)).toEqual([
      { runId: run?.runId, accounts: 40_000, complete: false },
      { runId: run?.runId, accounts: 50_000, complete: true },
    ]);
    expect(await fillNextStep(database)).toBeUndefined();
    const counts = await database.query(
      `select connection_id, null as outcome, count(*)::int as n from waiting_account group by 1
union all
select (select a.connection_id from account a where a.id = b.account_id), b.outcome, count(*)::int from balance_reading b where b.final group by 1, 2`,
    );
    expect(counts).toEqual([
      { connection_id: connectionId, outcome: null, n: 25_000 },
      { connection_id: pausedConnection, outcome: 'PAUSED', n: 25_000 },
    ]);
  });

  it('with more accounts than a call waits for are filled likewise where an operator resyncs them', async () => {
    const [connectionId] = await fiftyThousandAccounts();
    const { database } = testDatabase;
    const resync = (): Promise<OpenedRun> =>
      database.transaction((tx) =>
        openManualRun(tx, { scope: { connectionId }, force: false, reason: undefined }, 20_000),
      );
    const run = await resync();
    // The answer counts all of them, those that are not in it yet included; and a second call finds the run.
    expect(run).toMatchObject({ accounts: 25_000, joined: false });
    expect(await resync()).toEqual({ ...run, joined: true });
    expect(await database.query('select from waiting_account')).toHaveLength(20_000);

    expect(await fillNextStep(database)).toMatchObject({ runId: run.runId, accounts: 25_000, complete: true });
    expect(await fillNextStep(database)).toBeUndefined();
    expect(await resync()).toEqual({ ...run, joined: true });
    const [waiting] = await database.query(
      `select count(*)::int as n, count(*) filter (where connection_id = $1)::int as wanted from waiting_account`,
      [connectionId],
    );
    expect(waiting).toEqual({ n: 25_000, wanted: 25_000 });
  });
});

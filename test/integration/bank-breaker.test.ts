import { eventually } from '../support/eventually';
import { Outside, registerMypos, TestGateway, type Json, type Registered } from '../support/gateway';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

const ACCOUNTS = 40;
const INSTANT = /^\d{4}-.*Z$/;
const NO_TROUBLE = { unavailableSince: null, unavailableReason: null, nextProbeAt: null };

describe('the circuit breaker of a connection', () => {
  let testDatabase: TestDatabase;
  let outside: Outside;
  let gateway: TestGateway;

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    outside = await Outside.start();
    gateway = await TestGateway.start(testDatabase, outside, { SYNC_CONCURRENCY: '4' });
  }, 60_000);

  afterEach(async () => {
    await gateway.close();
    await outside.close();
    await testDatabase.drop();
  });

  const register = async (settings: object, prefix: string, control = outside.mypos): Promise<Registered> => {
    const registered = await registerMypos(gateway, { ...outside, mypos: control }, settings);
    const accounts = Array.from({ length: ACCOUNTS }, (_, i) => `${prefix}${String(i).padStart(6, '0')}`);
    await control.putAccounts(
      accounts.map((accountNumber) => ({
        accountNumber,
        balances: [{ amount: '1.00', currency: 'EUR', balanceType: 'available' }],
      })),
    );
    await outside.amlyze.putAccounts(accounts.map((id) => ({ accountExtId: id, currency: 'EUR' })));
    for (const id of accounts) {
      await gateway.ok('POST', '/admin/accounts', {
        consentId: registered.consentId,
        providerAccountId: id,
        currency: 'EUR',
        accountExtId: id,
      });
    }
    return registered;
  };

  const health = async (): Promise<Json> => (await testDatabase.database.query('select * from connection_health'))[0];

  /** What the connection and the status page say about the bank. */
  const shown = async (connectionId: string): Promise<Json[]> => {
    const connection = await gateway.ok('GET', `/admin/connections/${connectionId}`);
    const { connections } = await gateway.ok('GET', '/admin/status');
    return [connection, (connections as Json[]).find(({ id }: Json) => id === connectionId)].map(
      ({ unavailableSince, unavailableReason, nextProbeAt }: Json) => ({
        unavailableSince,
        unavailableReason,
        nextProbeAt,
      }),
    );
  };

  const letTimePass = async (): Promise<void> => {
    await testDatabase.database.query(
      `update connection_health set open_until = now() - interval '1 second' where open_until is not null`,
    );
    // Rows that the gateway is writing just now are passed over: waiting for them, this and the gateway could lock each other.
    await testDatabase.database.query(
      `with free as materialized (
  select run_id, account_id from waiting_account for update skip locked
)
update waiting_account s set due_at = now() from free where s.run_id = free.run_id and s.account_id = free.account_id`,
    );
  };

  const callsWhen = async (wanted: (row: Json) => boolean): Promise<number> => {
    await eventually(`the breaker comes to ${String(wanted)}`, async () => {
      const row = await health();
      return row !== undefined && wanted(row);
    });
    return (await outside.mypos.accessLog()).length;
  };

  it('asks a bank that is down with one probe, not with the fleet, and reads all once it answers', async () => {
    const { connectionId } = await register({ breakerFailures: 5 }, '10');
    const lines: unknown[] = [];
    gateway.app.useLogger({ log: () => undefined, warn: (line) => lines.push(line), error: () => undefined });
    expect(await shown(connectionId)).toEqual([NO_TROUBLE, NO_TROUBLE]);
    await outside.mypos.addFault({ match: {}, do: { kind: 'status', status: 503 } });
    const { runId } = await gateway.ok('POST', '/admin/resync', { all: true });
    // Calls that were under way when the fifth failure came are the most that can be above five.
    const first = await callsWhen((row) => row.open_until !== null);
    expect(first).toBeLessThanOrEqual(5 + 2 * 4);
    const unavailable = {
      unavailableSince: expect.stringMatching(INSTANT),
      unavailableReason: expect.stringMatching(/^myPOS answered 503/),
      nextProbeAt: expect.stringMatching(INSTANT),
    };
    expect(await shown(connectionId)).toEqual([unavailable, unavailable]);
    const outcome = 'BANK_UNAVAILABLE';
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: expect.stringContaining('unavailable'), connectionId, outcome }),
    );

    await letTimePass();
    const afterProbe = await callsWhen((row) => row.open_until !== null && row.open_until > new Date());
    expect(afterProbe).toBeLessThanOrEqual(first + 4 + 1);

    await outside.mypos.clearFaults();
    // A call that was under way may fail after the faults are gone and open the breaker once more.
    const run = await eventually('the run is finished', async () => {
      await letTimePass();
      const seen = await gateway.ok('GET', `/admin/runs/${runId}`);
      return seen.status === 'finished' && seen;
    });
    expect(run.outcomes).toEqual({ READ: ACCOUNTS });
    expect(await health()).toMatchObject({ unavailable_in_row: 0, open_until: null });
    expect((await health()).last_reason).toContain('503');
    expect(await shown(connectionId)).toEqual([NO_TROUBLE, NO_TROUBLE]);
  }, 60_000);

  it('gives the waiting accounts an outcome when the bank stays away too long', async () => {
    await register({ breakerFailures: 5 }, '20');
    await outside.mypos.addFault({ match: {}, do: { kind: 'status', status: 503 } });
    const { runId } = await gateway.ok('POST', '/admin/resync', { all: true });
    await callsWhen((row) => row.open_until !== null);
    await testDatabase.database.query(`update connection_health set open_since = now() - interval '6 minutes'`);
    await testDatabase.database.query(`update waiting_account set due_at = now()`);
    const run = await gateway.finished(runId);
    expect(run.outcomes).toEqual({ BANK_UNAVAILABLE: ACCOUNTS });
    expect((await outside.mypos.accessLog()).length).toBeLessThan(ACCOUNTS);
  }, 60_000);

  it('stops three failures before the bank would suspend us, and says so', async () => {
    const { connectionId } = await register({ breakerFailures: 1000, suspendAfterFailures: 10 }, '30');
    await outside.mypos.addFault({ match: {}, do: { kind: 'status', status: 400 } });
    const { runId } = await gateway.ok('POST', '/admin/resync', { all: true });
    await gateway.finished(runId);
    const connection = await gateway.ok('GET', `/admin/connections/${connectionId}`);
    expect(connection).toMatchObject({ status: 'paused', pausedBy: 'gateway' });
    expect(connection.pauseReason).toContain('suspends us after 10');
    expect((await outside.mypos.accessLog()).length).toBe(10 - 3);
  }, 60_000);

  it('counts no fault of ours as a failure of the bank', async () => {
    const { connectionId } = await register({ breakerFailures: 1000, suspendAfterFailures: 5 }, '35');
    // Two numbers that no URL can hold: their reads end before a call. Two failures would pause the connection.
    await testDatabase.database.query(
      `update access_subject s set provider_account_id = n.number
from (select id, repeat('.', row_number() over (order by id)::integer) as number from access_subject order by id limit 2) n where s.id = n.id`,
    );
    const { items } = await gateway.ok('GET', '/admin/accounts?limit=2');
    const accountIds = (items as Json[]).map(({ id }) => id);
    const { runId } = await gateway.ok('POST', '/admin/resync', { accountIds });
    expect((await gateway.finished(runId)).outcomes).toEqual({ GATEWAY_ERROR: 2 });
    expect(await gateway.ok('GET', `/admin/connections/${connectionId}`)).toMatchObject({ status: 'active' });
    expect(await testDatabase.database.query('select * from connection_health where failed_in_row > 0')).toEqual([]);
  }, 60_000);

  it('ends the run at once where the connection is paused while the breaker is open', async () => {
    const { connectionId } = await register({ breakerFailures: 2, suspendAfterFailures: 6 }, '40');
    await outside.mypos.addFault({ match: {}, do: { kind: 'status', status: 503 } });
    const { runId } = await gateway.ok('POST', '/admin/resync', { all: true });
    await eventually('the connection is paused', async () => {
      await letTimePass();
      return (await gateway.ok('GET', `/admin/connections/${connectionId}`)).status === 'paused';
    });
    await letTimePass();
    const run = await gateway.finished(runId, 5_000);
    // Those that failed wait for a repeat, which the pause forbids.
    expect(run.outcomes).toEqual({ PAUSED: ACCOUNTS });
    expect((await outside.mypos.accessLog()).length).toBe(6 - 3);
  }, 60_000);

  it('spends no probe on accounts that may not be asked about', async () => {
    const { consentId } = await register({ breakerFailures: 5 }, '50');
    await outside.mypos.addFault({ match: {}, do: { kind: 'status', status: 503 } });
    const { runId } = await gateway.ok('POST', '/admin/resync', { all: true });
    await callsWhen((row) => row.open_until !== null);
    await gateway.ok('PATCH', `/admin/consents/${consentId}`, {
      status: 'terminatedByTpp',
      reason: 'no longer wanted',
    });
    await eventually('no call is under way', async () => {
      const held = await testDatabase.database.query('select 1 from access_subject where claimed_by is not null');
      return held.length === 0;
    });
    const asked = (await outside.mypos.accessLog()).length;
    await letTimePass();
    // A probe that was kept would hold each of them back for a lease of two seconds.
    const run = await gateway.finished(runId, 10_000);
    expect(run.outcomes.CONSENT_REQUIRED).toBeGreaterThan(20);
    expect((await outside.mypos.accessLog()).length).toBe(asked);
  }, 60_000);
});

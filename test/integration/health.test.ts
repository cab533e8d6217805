import { addMyposAccount, newNumber, readNow, registerAccount } from '../support/bank-accounts';
import { ADMIN_KEY } from '../support/admin-app';
import { bankServers } from '../support/bank-server';
import { eventually } from '../support/eventually';
import { Outside, registerMypos, registerOneSingleView, TestGateway, type Json } from '../support/gateway';
import { movableClock } from '../support/movable-clock';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { TcpGate } from '../support/tcp-gate';
import { AmlyzeClient } from '../../src/amlyze/amlyze.client';
import { recordFailure } from '../../src/delivery/endpoint-state';
import { SANDBOX_MYPOS } from '../../src/simulators';

describe('health, metrics and the status page', () => {
  let testDatabase: TestDatabase;
  let outside: Outside;
  let gateway: TestGateway;
  let gate: TcpGate;
  const goAhead = movableClock();
  /** For how long a count of the backlog serves, and one of the accounts, and more. */
  const FRESH_MS = 5_001;
  const FRESH_ACCOUNTS_MS = 60_001;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    outside = await Outside.start();
    const through = await TcpGate.before(testDatabase.url);
    gate = through.gate;
    gateway = await TestGateway.start(testDatabase, outside, { DATABASE_URL: through.url });
  });

  afterAll(async () => {
    await gateway.close();
    await gate.cut();
    await outside.close();
    await testDatabase.drop();
  });

  async function get(path: string, key?: string, of = gateway): Promise<{ status: number; text: string }> {
    const headers: Record<string, string> = key === undefined ? {} : { Authorization: `Bearer ${key}` };
    const response = await fetch(`${of.url}${path}`, { headers });
    return { status: response.status, text: await response.text() };
  }

  async function ready(of = gateway): Promise<Json> {
    const { status, text } = await get('/health/ready', undefined, of);
    return { http: status, ...JSON.parse(text) };
  }

  it('is live and ready without a key', async () => {
    expect(await get('/health/live')).toEqual({ status: 200, text: '{"status":"ok"}' });
    goAhead(FRESH_MS);
    expect(await ready()).toMatchObject({
      http: 200,
      status: 'ok',
      details: {
        database: { status: 'up' },
        migrations: { status: 'up' },
        delivery: { status: 'up', paused: false },
        outbox: { status: 'up', pending: 0, oldestPendingSeconds: 0 },
        schedule: { status: 'up', lastFinishedSlot: null },
      },
    });
  });

  it('is degraded, and in service, while AMLYZE refuses our token', async () => {
    const { consentId } = await registerMypos(gateway, outside);
    const account = await addMyposAccount({ gateway, outside }, consentId);
    await outside.amlyze.addFault({ do: { kind: 'status', status: 401, body: '{}' } });
    await readNow(gateway, [account]);
    const paused = await eventually('delivery is paused', async () => {
      const answer = await ready();
      return answer.status === 'degraded' && answer;
    });
    expect(paused).toMatchObject({ http: 200, details: { delivery: { status: 'degraded', paused: true } } });
    expect(JSON.stringify(paused)).not.toMatch(/reason|127\.0\.0\.1/);
    expect(await gateway.ok('GET', '/admin/status')).toMatchObject({
      amlyze: expect.arrayContaining([expect.objectContaining({ pause: 'operator', reason: expect.any(String) })]),
    });
    await outside.amlyze.clearFaults();
    await gateway.ok('POST', '/admin/amlyze/resume');
    await gateway.delivered();
    await eventually('ready again', async () => (await ready()).status === 'ok');
  });

  it('is degraded, in service, at the one replica whose configuration AMLYZE refuses, and not at the others', async () => {
    const refused = await TestGateway.start(testDatabase, outside, { AMLYZE_TOKEN: 'a-token-of-last-year' });
    try {
      await recordFailure(
        testDatabase.database,
        'balances',
        { generation: await generation(), configurationHash: refused.app.get(AmlyzeClient).configurationHash() },
        { kind: 'operator', reason: 'status 401: no such token', forMs: 300_000, failedIds: [] },
      );
      const { consentId } = await registerMypos(gateway, outside);
      await readNow(gateway, [await addMyposAccount({ gateway, outside }, consentId)]);
      await gateway.delivered();
      await eventually('the other one is ready', async () => (await ready()).status === 'ok');
      const answer = await ready(refused);
      expect(answer).toMatchObject({ http: 200, status: 'degraded' });
      expect(answer.details.delivery).toEqual({
        status: 'degraded',
        paused: false,
        refusesThisReplica: ['balances'],
        pauses: [],
      });
      for (const [replica, refuses] of [[gateway, false] as const, [refused, true] as const]) {
        expect(await replica.ok('GET', '/admin/status')).toMatchObject({
          replica: expect.any(String),
          amlyze: expect.arrayContaining([
            expect.objectContaining({ endpoint: 'balances', pause: null, refusesThisReplica: refuses }),
          ]),
        });
        expect((await get('/metrics', ADMIN_KEY, replica)).text).toContain(
          `gateway_amlyze_refuses_replica{endpoint="balances"} ${refuses ? 1 : 0}`,
        );
      }
      await gateway.ok('POST', '/admin/amlyze/resume');
      expect((await ready(refused)).status).toBe('ok');
    } finally {
      await refused.close();
    }
  });

  async function generation(): Promise<string> {
    const [row] = await testDatabase.database.query<{ generation: string }>(
      `select generation from amlyze_endpoint where endpoint = 'balances'`,
    );
    return String(row?.generation);
  }

  it('is degraded when a record has waited for a quarter of an hour', async () => {
    const { consentId } = await registerMypos(gateway, outside);
    const account = await addMyposAccount({ gateway, outside }, consentId);
    await readNow(gateway, [account]);
    await gateway.delivered();
    await testDatabase.database.query(
      `update record_state set state = 'pending', settled_at = null, created_at = now() - interval '16 minutes',
  next_attempt_at = now() + interval '1 hour' where account_id = $1`,
      [account.id],
    );
    goAhead(FRESH_MS);
    const behind = await eventually('the backlog is seen', async () => {
      const answer = await ready();
      return answer.status === 'degraded' && answer;
    });
    expect(behind).toMatchObject({ http: 200, details: { outbox: { status: 'degraded', pending: 1 } } });
    await testDatabase.database.query(`update record_state set next_attempt_at = now() where account_id = $1`, [
      account.id,
    ]);
    await gateway.delivered();
    goAhead(FRESH_MS);
    await eventually('ready again', async () => (await ready()).status === 'ok');
  });

  it('without its database is live, not ready, and ready within five seconds of its return', async () => {
    await gate.cut();
    const gone = await eventually('readiness is lost', async () => {
      const answer = await ready();
      return answer.http === 503 && answer;
    });
    expect(gone).toMatchObject({ status: 'error', error: { database: { status: 'down' } } });
    expect(JSON.stringify(gone)).not.toMatch(/127\.0\.0\.1|postgres:\/\//);
    expect((await get('/health/live')).status).toBe(200);
    // A scrape is wanted most when something is wrong.
    expect((await get('/metrics', ADMIN_KEY)).status).toBe(200);
    await gate.mend();
    await eventually('ready again', async () => (await ready()).http === 200, 5_000);
  });

  it('does not say that nothing was stored where the answer of a commit was lost', async () => {
    gate.loseCommitOf('lost-answer');
    const body = {
      name: 'lost-answer',
      provider: 'mypos',
      baseUrl: 'https://bank.example',
      secrets: { apiKey: 'key' },
    };
    const answer = await gateway.call('POST', '/admin/connections', body);
    expect(answer.status).toBe(503);
    const names = (await gateway.list('/admin/connections')).map(({ name }: Json) => name);
    expect(names).toContain('lost-answer');
    expect(answer.body.detail).not.toMatch(/nothing|not stored/i);
    expect(answer.body.detail).toMatch(/may be stored/);
  });

  it('is not ready while the database answers and has no space to write, and then writes what was read meanwhile', async () => {
    const { consentId } = await registerMypos(gateway, outside);
    const account = await addMyposAccount({ gateway, outside }, consentId);
    const { database } = testDatabase;
    await database.query(`create function no_space() returns trigger language plpgsql as
$$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$`);
    await database.query(
      'create trigger no_space before insert on balance_reading for each row execute function no_space()',
    );
    const warnings: unknown[] = [];
    gateway.app.useLogger({
      log: () => undefined,
      error: () => undefined,
      warn: (line: unknown) => void warnings.push(line),
    });
    const { runId } = await gateway.ok('POST', '/admin/resync', { accountIds: [account.id] });
    const full = await eventually('readiness is lost', async () => {
      const answer = await ready();
      return answer.http === 503 && answer;
    });
    expect(full).toMatchObject({ error: { database: { status: 'down', reason: 'full' } } });
    expect((await get('/health/live')).status).toBe(200);
    await database.query('drop function no_space cascade');
    await eventually('ready again', async () => (await ready()).http === 200, 5_000);
    expect(await gateway.finished(runId)).toMatchObject({ outcomes: { READ: 1 } });
    gateway.app.useLogger(false);
    // Once, however often it was tried.
    expect(warnings).toEqual([
      {
        msg: 'readings wait for the database; no account is read until they are written',
        error: 'error: could not extend file',
      },
    ]);
  });

  describe('while the database is away', () => {
    const startBank = bankServers();

    it('keeps what a bank has answered, and does not ask a second time', async () => {
      const number = newNumber();
      const asked = Promise.withResolvers<void>();
      const answer = Promise.withResolvers<void>();
      const bank = await startBank(async () => {
        asked.resolve();
        await answer.promise;
        const balances = [{ amount: '5.00', currency: 'EUR', balanceType: 'available' }];
        return { body: JSON.stringify({ account: { accountNumber: number }, balances }) };
      });
      const { connectionId, consentId } = await registerMypos(gateway, { mypos: bank });
      const id = await registerAccount(gateway, consentId, number);
      const { runId } = await gateway.ok('POST', '/admin/resync', { accountIds: [id] });
      await asked.promise;
      await gate.cut();
      answer.resolve();
      await eventually('readiness is lost', async () => (await ready()).http === 503);
      // The lease of two seconds runs out meanwhile, so that any other turn could take the read over.
      await testDatabase.database.query(
        `update access_subject set lease_until = now() - interval '1 second' where lease_until is not null`,
      );
      await gate.mend();
      expect(await gateway.finished(runId)).toMatchObject({ outcomes: { READ: 1 } });
      expect(bank.requests).toHaveLength(1);
      // Its bank ends with this test.
      await gateway.ok('PATCH', `/admin/connections/${connectionId}`, { status: 'paused', reason: 'gone' });
    });
  });

  it('shows metrics behind the key only, without accounts, numbers or secrets', async () => {
    const { consentId } = await registerMypos(gateway, outside);
    const account = await addMyposAccount({ gateway, outside }, consentId);
    await outside.mypos.addFault({ match: { account: account.number, times: 1 }, do: { kind: 'status', status: 404 } });
    await readNow(gateway, [account]);
    await readNow(gateway, [account]);
    const records = await gateway.delivered();
    expect((await get('/metrics')).status).toBe(401);
    expect(JSON.parse((await get('/docs-json')).text)).toHaveProperty(['paths', '/metrics', 'get', 'responses', '401']);
    goAhead(FRESH_ACCOUNTS_MS);
    const { status, text } = await get('/metrics', ADMIN_KEY);
    expect(status).toBe(200);
    expect(text).toMatch(/^gateway_reads_total\{provider="mypos",outcome="ACCOUNT_UNKNOWN"\} 1$/m);
    expect(text).toMatch(/^gateway_reads_total\{provider="mypos",outcome="READ"\} [1-9]/m);
    expect(text).toMatch(/^gateway_deliveries_total\{.*verdict="accepted".*\} [1-9]/m);
    expect(text).toMatch(/^gateway_bank_call_seconds_count\{provider="mypos"\} [1-9]/m);
    expect(text).toMatch(/^gateway_amlyze_call_seconds_count\{/m);
    expect(text).toMatch(/^gateway_outbox_records\{state="pending"\} 0$/m);
    expect(text).toMatch(/^gateway_outbox_oldest_pending_seconds 0$/m);
    expect(text).toMatch(/^gateway_accounts\{last_read="under_12h"\} [1-9]/m);
    const secrets = [SANDBOX_MYPOS.apiKey, SANDBOX_MYPOS.accessToken, SANDBOX_MYPOS.consentId, ADMIN_KEY, 'postgres:'];
    const numbers = records.map(({ communicationNumber }) => communicationNumber);
    for (const word of [account.number, ...numbers, ...secrets]) expect(text).not.toContain(word);
  });

  it('shows the whole on one page', async () => {
    const { consentId } = await registerMypos(gateway, outside);
    await addMyposAccount({ gateway, outside }, consentId);
    await registerMypos(gateway, outside);
    await registerOneSingleView(gateway, outside);
    await gateway.sync({ all: true });
    const page = await eventually('the page has the run', async () => {
      const status = await gateway.ok('GET', '/admin/status');
      return status.accounts !== null && status;
    });
    expect(page).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      slots: { cron: '0 0 29 2 *', last: null, next: expect.stringMatching(/-02-29T00:00:00/) },
      backlog: { oldestPendingSeconds: expect.any(Number) },
      accounts: { outcomes: expect.objectContaining({ READ: expect.any(Number) }) },
    });
    const { connections } = page as { connections: Json[] };
    expect(connections.length).toBeGreaterThan(2);
    expect(connections.at(-1)).toMatchObject({ provider: 'onesingleview', status: 'active', accounts: 0 });
    expect(page).toMatchObject({ connectionsTotal: connections.length, connectionsTruncated: false });
    expect((await get('/admin/status')).status).toBe(401);
  });

  it('shows 500 connections at most, says how many there are, and leaves out none that is paused or unavailable', async () => {
    const [before] = await testDatabase.database.query<{ n: number }>('select count(*)::int as n from connection');
    await testDatabase.database.query(`insert into connection (name, provider, base_url, status, paused_by, paused_at)
select 'bank ' || n, 'mypos', 'https://bank.example', case n when 1999 then 'paused' else 'active' end,
  case n when 1999 then 'operator' end, case n when 1999 then now() end from generate_series(1, 2000) n`);
    await testDatabase.database.query(
      `insert into connection_health (connection_id, unavailable_in_row, failed_in_row, open_since, open_until)
select id, 5, 5, now(), now() from connection where name = 'bank 2000'`,
    );
    const page = await gateway.ok('GET', '/admin/status');
    const { connections } = page as { connections: Json[] };
    expect(page).toMatchObject({ connectionsTotal: 2000 + Number(before?.n), connectionsTruncated: true });
    expect(connections).toHaveLength(500);
    expect(connections.slice(-3).map(({ name }) => name)).toEqual([expect.any(String), 'bank 1999', 'bank 2000']);
    const ids = connections.map(({ id }) => Number(id));
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    await testDatabase.database.query(
      `with named as (select id from connection where name like 'bank %'), gone as (
  delete from connection_health h using named n where h.connection_id = n.id)
delete from connection c using named n where c.id = n.id`,
    );
  });
});

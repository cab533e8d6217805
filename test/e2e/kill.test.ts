import { SANDBOX_AMLYZE } from '../../src/simulators';
import { ADMIN_KEY } from '../support/admin-app';
import { eventually } from '../support/eventually';
import { Outside, registerMypos, TestGateway } from '../support/gateway';
import { GatewayProcess } from '../support/gateway-process';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { TcpGate } from '../support/tcp-gate';

const ACCOUNTS = 300;

/** The built gateway as a process, with Postgres and the outside world in others. */
describe('a gateway process', () => {
  let testDatabase: TestDatabase;
  let outside: Outside;
  let variables: NodeJS.ProcessEnv;
  const started: GatewayProcess[] = [];

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    outside = await Outside.start();
    const gateway = await TestGateway.start(testDatabase, outside);
    const { consentId } = await registerMypos(gateway, outside);
    const numbers = Array.from({ length: ACCOUNTS }, (_, n) => `K${String(n).padStart(5, '0')}`);
    await outside.mypos.putAccounts(
      numbers.map((accountNumber, n) => ({ accountNumber, balances: [{ amount: `${n}.05`, currency: 'EUR' }] })),
    );
    await outside.amlyze.putAccounts(numbers.map((accountExtId) => ({ accountExtId, currency: 'EUR' })));
    const lines = numbers.map((number) =>
      JSON.stringify({ consentId, providerAccountId: number, currency: 'EUR', accountExtId: number }),
    );
    const imported = await fetch(`${gateway.url}/admin/accounts/import`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${ADMIN_KEY}`, 'Content-Type': 'application/x-ndjson' },
      body: lines.join('\n'),
    });
    expect(await imported.json()).toMatchObject({ created: ACCOUNTS, rejected: [] });
    const [key] = gateway.environment.encryptionKeys;
    await gateway.close();
    variables = {
      DATABASE_URL: testDatabase.url,
      ENCRYPTION_KEYS: `${key?.id ?? ''}:${key?.key.toString('base64') ?? ''}`,
      AMLYZE_BASE_URL: outside.amlyze.url,
      AMLYZE_TOKEN: SANDBOX_AMLYZE.token,
      AMLYZE_BATCH_SIZE: '20',
    };
  }, 120_000);

  afterEach(async () => {
    await Promise.all(started.splice(0).map((gateway) => gateway.signal('SIGKILL')));
    await outside.close();
    await testDatabase.drop();
  });

  async function start(more: NodeJS.ProcessEnv = {}): Promise<GatewayProcess> {
    const gateway = await GatewayProcess.start({ ...variables, ...more });
    started.push(gateway);
    return gateway;
  }

  async function count(sql: string): Promise<number> {
    const [row] = await testDatabase.database.query<{ n: number }>(`select count(*)::int as n from ${sql}`);
    return row?.n ?? 0;
  }

  it('killed twice in mid-run and started again finishes the run, every record accepted once', async () => {
    await outside.mypos.addFault({ do: { kind: 'latency', ms: 100 } });
    await outside.amlyze.addFault({ do: { kind: 'latency', ms: 150 } });
    const first = await start();
    const { runId } = await first.ok('POST', '/admin/resync', { all: true });
    await eventually('a third is read', async () => (await count('balance_reading')) > ACCOUNTS / 3);
    await first.signal('SIGKILL');
    expect(await count('waiting_account')).toBeGreaterThan(0);
    const second = await start();
    await eventually(
      'a record is on its way',
      async () => (await count(`record_with_state where state = 'sending'`)) > 0,
    );
    await second.signal('SIGKILL');
    expect(await count(`record_with_state where state = 'sending'`)).toBeGreaterThan(0);

    await outside.mypos.clearFaults();
    await outside.amlyze.clearFaults();
    const third = await start();
    expect(await third.finished(runId)).toMatchObject({ accounts: ACCOUNTS, outcomes: { READ: ACCOUNTS } });
    await eventually(
      'all is delivered',
      async () => (await count(`record_with_state where state <> 'accepted'`)) === 0,
    );
    const ledger = await outside.amlyze.ledger();
    expect(ledger).toHaveLength(ACCOUNTS);
    expect(new Set(ledger.map(({ accountExtId }) => accountExtId)).size).toBe(ACCOUNTS);
    const expected = Array.from({ length: ACCOUNTS }, (_, n) => [`K${String(n).padStart(5, '0')}`, `${n}.05`]);
    expect(ledger.map(({ accountExtId, value }) => [accountExtId, value]).sort()).toEqual(expected);
    // A read that was under way when its process died is made again, and both are in the ledger.
    const { balanceReads } = await outside.mypos.stats();
    expect(await count('access_ledger')).toBeGreaterThanOrEqual(Number(balanceReads));
    expect(await outside.amlyze.stats()).toMatchObject({ replaysWithOtherContent: 0 });
  }, 120_000);

  it('told to stop ends within ten seconds although banks and AMLYZE keep it waiting, and loses nothing', async () => {
    await outside.mypos.addFault({ match: { after: 100 }, do: { kind: 'latency', ms: 60_000 } });
    await outside.amlyze.addFault({ match: { after: 2 }, do: { kind: 'latency', ms: 60_000 } });
    const gateway = await start();
    const { runId } = await gateway.ok('POST', '/admin/resync', { all: true });
    await eventually('calls are open on both sides', async () => {
      const open = (await outside.mypos.accessLog()).filter(({ durationMs }) => durationMs === null);
      return open.length > 0 && (await count(`record_with_state where state = 'sending'`)) > 0;
    });
    const startedAt = performance.now();
    // Null: once all is drained the process ends by the very signal, as supervisors expect; 1 would be the hard end.
    expect(await gateway.signal('SIGTERM')).toBeNull();
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(await count(`record_with_state where state = 'sending'`)).toBe(0);

    await outside.mypos.clearFaults();
    await outside.amlyze.clearFaults();
    const next = await start();
    expect(await next.finished(runId)).toMatchObject({ outcomes: { READ: ACCOUNTS } });
    await eventually(
      'all is delivered',
      async () => (await count(`record_with_state where state <> 'accepted'`)) === 0,
    );
    expect(await outside.amlyze.ledger()).toHaveLength(ACCOUNTS);
  }, 120_000);

  it('outlives its database, and is ready again within five seconds of its return', async () => {
    const { gate, url } = await TcpGate.before(testDatabase.url);
    await outside.mypos.addFault({ do: { kind: 'latency', ms: 300 } });
    const gateway = await start({ DATABASE_URL: url });
    const { runId } = await gateway.ok('POST', '/admin/resync', { all: true });
    await eventually('some are read', async () => (await count('balance_reading')) > 20);
    await gate.cut();
    await eventually('readiness is lost', async () => (await gateway.status('/health/ready')) === 503);
    expect(await gateway.status('/health/live')).toBe(200);
    await gate.mend();
    const startedAt = performance.now();
    await eventually('ready again', async () => (await gateway.status('/health/ready')) === 200);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(await gateway.finished(runId)).toMatchObject({ outcomes: { READ: ACCOUNTS } });
    // What was read while the database was away is kept, not read again.
    expect(await outside.mypos.stats()).toMatchObject({ balanceReads: ACCOUNTS });
    await gateway.signal('SIGTERM');
    await gate.cut();
  }, 120_000);
});

import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { ADMIN_KEY } from '../support/admin-app';
import { eventually } from '../support/eventually';
import { GatewayProcess } from '../support/gateway-process';
import { importLines, operation } from '../support/operations';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

const OPERATIONS = 5_000;

describe('an import whose gateway is killed', () => {
  let testDatabase: TestDatabase;
  let gateway: GatewayProcess;
  const keys = `k1:${randomBytes(32).toString('base64')}`;

  const start = (): Promise<GatewayProcess> =>
    GatewayProcess.start({
      DATABASE_URL: testDatabase.url,
      ENCRYPTION_KEYS: keys,
      AMLYZE_BASE_URL: 'http://127.0.0.1:9',
      AMLYZE_TOKEN: 'token-of-the-test',
      OPERATIONS_IMPORT: 'without-monitoring',
    });
  const count = async (sql: string): Promise<number> => {
    const [row] = await testDatabase.database.query<{ n: number }>(`select count(*)::int as n from ${sql}`);
    return row?.n ?? -1;
  };

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    gateway = await start();
  }, 60_000);
  afterAll(async () => {
    await gateway.signal('SIGKILL');
    await testDatabase.drop();
  });

  it('says at start that AMLYZE does not monitor what is imported, and how it is delivered', () => {
    const notices = gateway.output
      .split('\n')
      .filter((line) => line.includes('operations are imported without monitoring'));
    expect(notices.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({
        level: 'warn',
        operationsImport: 'without-monitoring',
        operationsDelivery: 'single',
        cardData: 'refuse',
        cardDataRetentionHours: 24,
      }),
    ]);
  });

  it('goes on by its key, wherever it was hit: nothing is lost, nothing is doubled', async () => {
    const lines = Array.from({ length: OPERATIONS }, (_, at) => JSON.stringify(operation(`op-${at}`)));
    for (const hitAt of [250, 1_500, 3_000]) {
      const client = httpRequest(`${gateway.url}/admin/operations/import`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${ADMIN_KEY}`,
          'content-type': 'application/x-ndjson',
          'idempotency-key': 'killed',
        },
      });
      client.on('error', () => undefined);
      client.end(lines.join('\n'));
      await eventually('some chunks are stored', async () => (await count('operation')) >= hitAt);
      await gateway.signal('SIGKILL');
      gateway = await start();
    }
    const stored = await count('operation');
    const answer = await importLines(gateway, lines, { key: 'killed' });
    expect(answer).toMatchObject({
      status: 202,
      body: { status: 'finished', lines: OPERATIONS, taken: OPERATIONS, unchanged: 0, refused: 0 },
    });
    expect(stored).toBeGreaterThanOrEqual(3_000);
    expect(await count('operation')).toBe(OPERATIONS);
    expect(await count('amlyze_record')).toBe(OPERATIONS);
    expect(await count('(select distinct operation_ext_id from record_with_state) ids')).toBe(OPERATIONS);
    expect(await count('operation_import')).toBe(1);
  }, 90_000);
});

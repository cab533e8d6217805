import { randomBytes } from 'node:crypto';
import { Test } from '@nestjs/testing';
import { AppModule } from '../../src/app.module';
import { Environment } from '../../src/config/environment';
import { loadEnvironment } from '../../src/config/load-environment';
import { Heartbeat } from '../../src/schedule/heartbeat';
import { Upkeep } from '../../src/schedule/upkeep';
import { StartProblem } from '../../src/shared/start-problem';
import { ADMIN_KEY } from '../support/admin-app';
import { OutboxRows } from '../support/outbox-rows';
import { createTestDatabase } from '../support/postgres';

describe('a gateway whose setting makes two accounts one at AMLYZE', () => {
  it('refuses the start before it reads or sends, and ends without a further word', async () => {
    const testDatabase = await createTestDatabase();
    const { database } = testDatabase;
    const rows = await OutboxRows.open(database);
    const [first, second] = [...(await rows.accounts(1, 'A')), ...(await rows.accounts(1, 'B'))];
    await database.query(`update account set account_ext_id = 'A1', business_unit = 'LT' where id = $1`, [second]);
    const environment = loadEnvironment({
      DATABASE_URL: testDatabase.url,
      ADMIN_API_KEY: ADMIN_KEY,
      ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      AMLYZE_BASE_URL: 'http://127.0.0.1:1',
      AMLYZE_TOKEN: 'test-token',
      AMLYZE_BUSINESS_UNIT: 'LT',
      ALLOW_PRIVATE_ADDRESSES: 'true',
      LOG_LEVEL: 'silent',
    });
    const moduleRef = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(Environment)
      .useValue(environment)
      .compile();
    const app = moduleRef.createNestApplication({ logger: false });

    const refused = await app.init().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StartProblem);
    expect(String(refused)).toContain(`(${first} and ${second})`);
    expect(await database.query('select from sync_run')).toEqual([]);
    for (const begun of [Heartbeat, Upkeep]) await app.get(begun, { strict: false }).beforeApplicationShutdown();
    await app.close();
    await testDatabase.drop();
  }, 30_000);
});

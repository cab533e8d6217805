import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { AmlyzeClient } from '../../../src/amlyze/amlyze.client';
import { loadEnvironment } from '../../../src/config/load-environment';
import { databaseOf, openDataSource } from '../../../src/database/data-source';
import { BalanceLane } from '../../../src/delivery/balance-lane';
import { DeliveryService } from '../../../src/delivery/delivery.service';
import { DeliveryWorker } from '../../../src/delivery/delivery.worker';
import { Settling } from '../../../src/delivery/settling';
import { CardVault } from '../../../src/operations/card-vault';
import { OperationSingleLane } from '../../../src/operations/operation-lanes';
import { takeBackExpired } from '../../../src/outbox/settle';
import { HttpClient } from '../../../src/shared/http-client';
import { Metrics } from '../../../src/shared/metrics';
import { Replica } from '../../../src/shared/replica';
import { ADMIN_KEY } from '../../support/admin-app';
import { giveState } from '../../support/give-state';
import { HeldAmlyze } from '../../support/held-amlyze';
import { OutboxRows } from '../../support/outbox-rows';
import { createTestDatabase, type TestDatabase } from '../../support/postgres';
import { TcpGate } from '../../support/tcp-gate';

describe('delivery that is stopped while the database is away', () => {
  let testDatabase: TestDatabase;
  let gate: TcpGate;
  let through: DataSource;
  let amlyze: HeldAmlyze;
  let http: HttpClient;
  let worker: DeliveryWorker;

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    const way = await TcpGate.before(testDatabase.url);
    gate = way.gate;
    through = await openDataSource({ url: way.url, applicationName: 'stopped' });
    amlyze = new HeldAmlyze();
    const environment = loadEnvironment({
      DATABASE_URL: way.url,
      ADMIN_API_KEY: ADMIN_KEY,
      ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      AMLYZE_BASE_URL: await amlyze.listen(),
      AMLYZE_TOKEN: 'token-of-the-test',
      ALLOW_PRIVATE_ADDRESSES: 'true',
      POLL_INTERVAL_MS: '50',
    });
    await testDatabase.database.query(
      `insert into amlyze_record (communication_number, kind, channel, operation_ext_id, payload)
values ('n-1', 'operation', 'operation-single', 'op-1', '{"communicationNumber":"n-1","operationExtId":"op-1"}')`,
    );
    await giveState(testDatabase.database, {});
    const rows = await OutboxRows.open(testDatabase.database);
    await rows.enqueue(await rows.accounts(1));
    const database = databaseOf(through);
    http = new HttpClient({ allowPrivateAddresses: true });
    const client = new AmlyzeClient(http, environment);
    const settling = new Settling(database, new Metrics(), environment);
    const replica = new Replica();
    const service = new DeliveryService(database, environment, settling, replica);
    worker = new DeliveryWorker(database, environment, service, settling, replica);
    await worker.start([
      new BalanceLane(client, environment),
      new OperationSingleLane(client, new CardVault(environment), environment),
    ]);
  });
  afterEach(async () => {
    await amlyze.close();
    await worker.stop(5_000);
    await http.close();
    await through.destroy();
    await gate.cut();
    await testDatabase.drop();
    jest.restoreAllMocks();
  });

  it('ends in order, and leaves the records of calls under way to their leases', async () => {
    const warnings = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await amlyze.arrived(2);
    await gate.cut();
    await worker.stop(50);

    const told = warnings.mock.calls.map(([line]) => line as { msg: string });
    const msg =
      'a call to AMLYZE that was still open at shutdown could not be given back; its lease brings the records back';
    expect(told.filter((line) => line.msg === msg)).toMatchObject([{ records: 1 }, { records: 1 }]);
    await testDatabase.database.query(`update delivery_attempt set lease_until = now() - interval '1 s'`);
    expect(await takeBackExpired(testDatabase.database)).toMatchObject({ attempts: 2, records: 2 });
  });
});

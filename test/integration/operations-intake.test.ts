import { Outside, TestGateway, type Json } from '../support/gateway';
import { operation } from '../support/operations';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

describe('POST /admin/operations', () => {
  let testDatabase: TestDatabase;
  let outside: Outside;
  let gateway: TestGateway;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    outside = await Outside.start();
    gateway = await TestGateway.start(testDatabase, outside, { OPERATIONS_IMPORT: 'without-monitoring' });
  });
  afterAll(async () => {
    await gateway.close();
    await outside.close();
    await testDatabase.drop();
  });

  const post = (body: unknown): Promise<{ status: number; body: Json }> =>
    gateway.call('POST', '/admin/operations', body);

  it('takes one operation and freezes it with its digits', async () => {
    const answer = await post(operation('one'));
    expect(answer).toMatchObject({ status: 202, body: { result: 'taken', warnings: [], dropped: [] } });
  });
});

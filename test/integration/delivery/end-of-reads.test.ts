import { DeliveryWorker } from '../../../src/delivery/delivery.worker';
import { addMyposAccount } from '../../support/bank-accounts';
import { eventually } from '../../support/eventually';
import { Outside, registerMypos, TestGateway } from '../../support/gateway';
import { createTestDatabase, type TestDatabase } from '../../support/postgres';

describe('the last balances of a run', () => {
  let testDatabase: TestDatabase;
  let outside: Outside;
  let gateway: TestGateway;

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    outside = await Outside.start();
    gateway = await TestGateway.start(testDatabase, outside, { POLL_INTERVAL_MS: '60000' });
  }, 60_000);

  afterEach(async () => {
    await gateway.close();
    await outside.close();
    await testDatabase.drop();
  });

  it('do not wait for company: the delivery is told once nothing more is being read', async () => {
    const { consentId } = await registerMypos(gateway, outside);
    for (let n = 0; n < 3; n += 1) await addMyposAccount({ gateway, outside }, consentId);
    const delivery = gateway.app.get(DeliveryWorker);
    const announced = jest.spyOn(delivery, 'announce');
    const flushed = jest.spyOn(delivery, 'flush');
    await gateway.sync();
    await eventually('the delivery is told', async () => {
      const [last = Infinity] = announced.mock.invocationCallOrder.slice(-1);
      return flushed.mock.invocationCallOrder.some((order) => order > last);
    });
    expect(announced.mock.calls.reduce((sum, [records]) => sum + records, 0)).toBe(3);
    const records = await gateway.delivered();
    expect(records.map(({ state }) => state)).toEqual(['accepted', 'accepted', 'accepted']);
  });
});

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

  it('are those of the run, and not those before the next call of a bank that is asked twenty times a second', async () => {
    const { consentId } = await registerMypos(gateway, outside, { requestsPerSecond: 20 });
    for (let n = 0; n < 8; n += 1) await addMyposAccount({ gateway, outside }, consentId);
    const delivery = gateway.app.get(DeliveryWorker);
    const announced = jest.spyOn(delivery, 'announce');
    const flushed = jest.spyOn(delivery, 'flush');
    await gateway.sync();
    await eventually('all are announced', async () => announced.mock.calls.reduce((sum, [n]) => sum + n, 0) === 8);
    const [first = Infinity] = announced.mock.invocationCallOrder;
    const [last = 0] = announced.mock.invocationCallOrder.slice(-1);
    expect(announced.mock.calls.length).toBeGreaterThan(1);
    expect(flushed.mock.invocationCallOrder.filter((order) => order > first && order < last)).toEqual([]);
  });
});

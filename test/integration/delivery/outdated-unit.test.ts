import { addMyposAccount, readNow, type AddedAccount } from '../../support/bank-accounts';
import { eventually } from '../../support/eventually';
import { Outside, registerMypos, TestGateway, type Json } from '../../support/gateway';
import { createTestDatabase, type TestDatabase } from '../../support/postgres';

describe('records of a business unit that AMLYZE does not know', () => {
  let testDatabase: TestDatabase;
  let outside: Outside;
  let gateway: TestGateway | undefined;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    outside = await Outside.start();
  });
  afterAll(async () => {
    await gateway?.close();
    await outside.close();
    await testDatabase.drop();
  });

  const states = async (): Promise<string[]> => {
    const records: Json[] = (await gateway?.list('/admin/records')) ?? [];
    return records.map(({ state }) => state).sort();
  };
  const pauses = async (): Promise<unknown[]> => {
    const { amlyze } = await (gateway?.ok('GET', '/admin/status') ?? Promise.reject(new Error('no gateway')));
    return (amlyze as Json[]).filter(({ pause }) => pause !== null).map(({ reason }) => reason);
  };

  it('wait for as long as that unit is the configured one, and are rejected, out of the way of what comes, once it is not', async () => {
    gateway = await TestGateway.start(testDatabase, outside, { AMLYZE_BUSINESS_UNIT: 'MISSPELT' });
    const { consentId } = await registerMypos(gateway, outside);
    const accounts: AddedAccount[] = [];
    for (const amount of ['1.00', '2.00', '3.00']) {
      accounts.push(await addMyposAccount({ gateway, outside }, consentId, { amount, currency: 'EUR' }));
    }
    // They wait for one call together: a lone one would be its own fault.
    await outside.amlyze.addFault({ do: { kind: 'status', status: 401 } });
    await readNow(gateway, accounts);
    await eventually('delivery is paused', async () => (await pauses()).length === 1);
    await outside.amlyze.clearFaults();
    await outside.amlyze.addFault({ do: { kind: 'tenant-error' } });
    await gateway.ok('POST', '/admin/amlyze/resume');
    await eventually('the unit is refused', async () => /business unit/.test(String(await pauses())));
    // Another worker may have them in hand again, claimed between their settlement and the pause.
    await eventually('they wait', async () => (await states()).every((state) => state === 'pending'));
    expect(await states()).toHaveLength(3);
    await gateway.close();

    // AMLYZE goes on refusing the old unit: the rejection is the records' own now.
    gateway = await TestGateway.start(testDatabase, outside, { AMLYZE_BUSINESS_UNIT: 'RIGHT' });
    await eventually('the old ones are rejected', async () => (await states()).every((state) => state === 'rejected'));
    expect(await pauses()).toEqual([]);

    await outside.amlyze.clearFaults();
    await readNow(gateway, accounts);
    await gateway.delivered();
    expect(await states()).toEqual([...Array(3).fill('accepted'), ...Array(3).fill('rejected')]);
  });
});

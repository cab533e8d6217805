import { openApiDocument } from '../../src/admin/open-api';
import { demoAccounts, demoRegistrations, type DemoAccount } from '../../src/simulators';
import { ADMIN_KEY } from '../support/admin-app';
import { answerOf, undescribed } from '../support/described';
import { Outside, registerMypos, registerOneSingleView, TestGateway, type Json } from '../support/gateway';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

const PER_BANK = 40;

describe('the way of a balance, end to end', () => {
  let testDatabase: TestDatabase;
  let outside: Outside;
  let gateway: TestGateway;
  let demo: DemoAccount[];
  let run: Json;
  let records: Json[];
  /** AMLYZE's, of that run. */
  let ledger: Json[];

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    outside = await Outside.start();
    gateway = await TestGateway.start(testDatabase, outside);
    const mypos = await registerMypos(gateway, outside);
    const onesingleview = await registerOneSingleView(gateway, outside);
    const banks = [
      { accounts: demoAccounts('mypos', PER_BANK), control: outside.mypos, consentId: mypos.consentId },
      {
        accounts: demoAccounts('onesingleview', PER_BANK),
        control: outside.onesingleview,
        consentId: onesingleview.consentId,
      },
    ];
    demo = banks.flatMap(({ accounts }) => accounts);
    for (const { accounts, control, consentId } of banks) {
      const { bankAccounts, amlyzeAccounts, amlyzeFaults } = demoRegistrations(accounts);
      await control.putAccounts(bankAccounts);
      await outside.amlyze.putAccounts(amlyzeAccounts);
      await outside.amlyze.addFault(...amlyzeFaults);
      for (const { providerAccountId, currency, accountExtId } of accounts) {
        await gateway.ok('POST', '/admin/accounts', { consentId, providerAccountId, currency, accountExtId });
      }
    }
    run = await gateway.sync();
    records = await gateway.delivered();
    ledger = await outside.amlyze.ledger();
  }, 60_000);

  afterAll(async () => {
    await gateway.close();
    await outside.close();
    await testDatabase.drop();
  });

  it('gives every account the foreseen outcome', async () => {
    const readings = new Map(
      (await gateway.list(`/admin/readings?runId=${run.id}`)).map((reading) => [reading.accountExtId, reading]),
    );
    const seen = demo.map(({ accountExtId }) => [accountExtId, readings.get(accountExtId)?.outcome]);
    expect(seen).toEqual(demo.map(({ accountExtId, foreseen }) => [accountExtId, foreseen.outcome]));
  });

  it('sends every foreseen value and settles its record as foreseen', () => {
    const made = new Map(records.map((record) => [record.accountExtId, record]));
    const seen = demo.map(({ accountExtId }) => [
      accountExtId,
      made.get(accountExtId)?.value,
      made.get(accountExtId)?.state,
    ]);
    expect(seen).toEqual(
      demo.map(({ accountExtId, foreseen }) => [accountExtId, foreseen.value, foreseen.recordState]),
    );
  });

  it("says accepted exactly where AMLYZE's ledger has the record, digit for digit", () => {
    const accepted = records.filter((record) => record.state === 'accepted');
    expect(new Map(ledger.map((entry) => [entry.communicationNumber, entry.value]))).toEqual(
      new Map(accepted.map((record) => [record.communicationNumber, record.value])),
    );
    expect(ledger).toHaveLength(accepted.length);
  });

  it('shows all of it as the OpenAPI document says', async () => {
    const document: Json = openApiDocument(gateway.app);
    const { accountId, communicationNumber } = records[0];
    const lists = ['connections', 'consents', 'accounts', 'runs', 'readings', 'records'].map(
      (list) => `${list}?limit=500`,
    );
    const one = [
      'connections/1',
      'consents/2',
      `accounts/${accountId}`,
      `runs/${run.id}`,
      `records/${communicationNumber}`,
    ];
    for (const path of [...lists, ...one, 'accounts/0', 'accounts/%', 'readings?outcome=x', 'status']) {
      expect(undescribed(document, await answerOf(gateway.url, `/admin/${path}`, { key: ADMIN_KEY }))).toEqual([]);
    }
    const post = async (path: string, body: object): Promise<void> => {
      const headers = { 'Content-Type': 'application/json' };
      const init = { method: 'POST', key: ADMIN_KEY, headers, body: JSON.stringify(body) };
      expect(undescribed(document, await answerOf(gateway.url, `/admin/${path}`, init))).toEqual([]);
    };
    await post(`accounts/${accountId}/preview`, { source: 'stored' });
    await post('accounts', (await gateway.ok('GET', `/admin/accounts/${accountId}`)) as object);
    const { consentId, providerAccountId, currency, accountExtId } = await gateway.ok(
      'GET',
      `/admin/accounts/${accountId}`,
    );
    await post('accounts', { consentId, providerAccountId, currency, accountExtId });
    await post(`connections/1/check`, {});
  });

  it('counts the run from its accounts and records', () => {
    const outcomes: Record<string, number> = {};
    for (const { foreseen } of demo) outcomes[foreseen.outcome] = (outcomes[foreseen.outcome] ?? 0) + 1;
    expect(run).toMatchObject({ status: 'finished', accounts: demo.length, outcomes });
  });

  it('explains a record from the bank payload to the verdict', async () => {
    const record = records.find(({ state }) => state === 'accepted');
    const explanation = await gateway.ok('GET', `/admin/records/${record.communicationNumber}`);
    expect(explanation.reading.bankPayload).toContain('balance');
    expect(explanation.steps).toContainEqual({
      rule: 'outcome',
      text: expect.stringMatching(/^\w+ is -?[\d.]+ [A-Z]{3} at .*Z\.$/),
    });
    expect(explanation.steps).toContainEqual({
      rule: 'record',
      text: expect.stringMatching(/^a new record, the first for \w+ and /),
    });
    expect(JSON.parse(explanation.frozenRequest)).toMatchObject({ communicationNumber: record.communicationNumber });
    expect(explanation.attemptLog).toEqual([
      expect.objectContaining({ verdict: 'accepted', httpStatus: 200, late: false }),
    ]);
  });

  it('makes no new record for an unchanged OneSingleView balance, and a new one for myPOS', async () => {
    const before = records.length;
    // The simulator takes only the first number of a held account away, so its second record gets through.
    const readable = demo.filter(
      ({ bank, foreseen }) => bank === 'mypos' && ['accepted', 'held'].includes(foreseen.recordState ?? ''),
    );
    await gateway.sync();
    const after = await gateway.delivered();
    const fresh = after.slice(before);
    expect(
      fresh.filter((record) => String(record.accountExtId).startsWith('SV')).map((record) => record.accountExtId),
    ).toEqual([]);
    expect(
      fresh
        .filter((record) => record.state === 'accepted')
        .map((record) => record.accountExtId)
        .sort(),
    ).toEqual(readable.map(({ accountExtId }) => accountExtId).sort());
  });
});

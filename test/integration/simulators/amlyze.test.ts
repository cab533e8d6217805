import { SANDBOX_AMLYZE, startAmlyzeSimulator } from '../../../src/simulators';
import { ask, BATCH, record, resultsOf, type Running, running, sendBatch, sendSingle, SINGLE } from './support';

const accepted = (communicationNumber: string) => ({
  resultType: 'REQUEST_ACCEPTED',
  communicationNumber,
  accountExtId: 'A-1',
  timeElapsedMs: expect.any(Number) as number,
});
const USED = { errorCode: 'O005', errorDescription: 'CommunicationNumber already used in amlyze' };

describe('the AMLYZE simulator', () => {
  let amlyze: Running;
  let url: string;

  beforeAll(async () => {
    amlyze = await running(startAmlyzeSimulator());
    url = amlyze.simulator.url;
  });
  beforeEach(async () => {
    await amlyze.control.reset();
    await amlyze.control.putAccounts([{ accountExtId: 'A-1', currency: 'EUR' }, { accountExtId: 'A-2' }]);
  });
  afterAll(() => amlyze.simulator.close());

  it('answers 200 with one result per item, rejected ones included', async () => {
    const records = [record('n-1'), record('n-2', { accountExtId: 'nobody' }), record('n-1')];
    const answer = await sendBatch(url, records);
    expect(answer.status).toBe(200);
    expect(answer.json['timeElapsedMs']).toEqual(expect.any(Number));
    expect(resultsOf(answer)).toEqual([
      accepted('n-1'),
      expect.objectContaining({
        resultType: 'REQUEST_REJECTED',
        communicationNumber: 'n-2',
        accountExtId: 'nobody',
        errorCode: '404',
        errorDescription: 'Account with given extId does not exist',
      }),
      expect.objectContaining({ resultType: 'REQUEST_REJECTED', ...USED }),
    ]);
  });

  it('keeps accepted records in order, with the digits of their values as they were written', async () => {
    const values = ['4.200', '-0.10', '12345678901234567.8901234567', '0', '100000.5665'];
    await sendBatch(
      url,
      values.map((value, index) => record(`d-${String(index)}`, { businessUnit: 'sandbox' }, value)),
    );
    const ledger = await amlyze.control.ledger();
    expect(ledger.map((entry) => entry.value)).toEqual(values);
    expect(ledger[0]).toEqual({
      position: 0,
      kind: 'balance',
      communicationNumber: 'd-0',
      accountExtId: 'A-1',
      balanceType: 'STATEMENT_BALANCE',
      balanceAt: '2025-06-30T20:59:59.000Z',
      value: '4.200',
      businessUnit: 'sandbox',
      at: expect.any(String) as string,
      requestNo: 0,
    });
  });

  it.each([
    [{ communicationNumber: undefined }, '001', 'CommunicationNumber is mandatory'],
    [{ communicationNumber: 'n'.repeat(256) }, '001', 'CommunicationNumber is longer than 255 characters'],
    [{ requester: undefined }, '001', 'Requester is mandatory'],
    [{ requester: 'r'.repeat(101) }, '001', 'Requester is longer than 100 characters'],
    [{ accountExtId: undefined }, 'O001', 'extId is mandatory'],
    [{ accountExtId: 'a'.repeat(256) }, '001', 'AccountExtId is longer than 255 characters'],
    [{ balanceType: undefined }, 'O001', 'code is mandatory'],
    [{ balanceAt: undefined }, '001', 'BalanceAt is mandatory'],
    [{ balanceAt: '2025-06-30' }, '001', 'BalanceAt is no date-time'],
    [{ balanceAt: '2025-13-30T00:00:00Z' }, '001', 'BalanceAt is no date-time'],
    [{ value: '12.50' }, '001', 'value is not of its documented type'],
    [{ value: null }, '001', 'Value is mandatory'],
    [{ businessUnit: 7 }, '001', 'businessUnit is not of its documented type'],
    [{ equivalentValue: '1' }, '001', 'equivalentValue is not of its documented type'],
  ])('rejects an item with %j: %s %s, and nothing else of the batch', async (changes, errorCode, errorDescription) => {
    const results = resultsOf(await sendBatch(url, [record('bad', changes), record('good')]));
    expect(results[0]).toMatchObject({ resultType: 'REQUEST_REJECTED', errorCode, errorDescription });
    expect(results[1]).toEqual(accepted('good'));
    expect((await amlyze.control.ledger()).map((entry) => entry.communicationNumber)).toEqual(['good']);
  });

  it('takes a number of 255 and a requester of 100 characters', async () => {
    const item = record('n'.repeat(255), { requester: 'r'.repeat(100) });
    expect(resultsOf(await sendBatch(url, [item]))[0]).toMatchObject({ resultType: 'REQUEST_ACCEPTED' });
  });

  it('answers a single record 200 when accepted and 400 when rejected', async () => {
    const good = await sendSingle(url, record('s-1'));
    expect([good.status, good.json]).toEqual([200, { resultType: 'REQUEST_ACCEPTED' }]);
    const used = await sendSingle(url, record('s-1'));
    expect([used.status, used.json]).toEqual([400, { resultType: 'REQUEST_REJECTED', ...USED }]);
    const unknown = await sendSingle(url, record('s-2', { accountExtId: undefined }));
    expect(unknown.json).toMatchObject({ errorCode: 'O001', errorDescription: 'extId is mandatory' });
  });

  it('shares the numbers between the two endpoints', async () => {
    await sendSingle(url, record('x-1'));
    expect(resultsOf(await sendBatch(url, [record('x-1')]))[0]).toMatchObject(USED);
  });

  it('refuses a missing, wrong, revoked or expired token with 401 in its own shape', async () => {
    const asked = async (Authorization: string) => sendBatch(url, [record('t-1')], { Authorization });
    const expectRefused = async (authorization: string) => {
      const answer = await asked(authorization);
      expect([answer.status, answer.json]).toEqual([401, { error: { code: 'unauthorized' } }]);
    };
    await expectRefused('');
    await expectRefused('Bearer somebody-elses');
    await expectRefused(`Basic ${SANDBOX_AMLYZE.token}`);
    await amlyze.control.call('POST', 'tokens', { token: 'next' });
    expect((await asked('Bearer next')).status).toBe(200);
    await amlyze.control.call('POST', 'tokens', { token: 'next', revoked: true });
    await expectRefused('Bearer next');
    await amlyze.control.call('POST', 'tokens', { token: SANDBOX_AMLYZE.token, expiresInMs: -1 });
    await expectRefused(`Bearer ${SANDBOX_AMLYZE.token}`);
  });

  it('refuses a wrong path 404, a wrong method 405, another content type 415 and no JSON 400', async () => {
    const headers = { Authorization: `Bearer ${SANDBOX_AMLYZE.token}`, 'Content-Type': 'application/json' };
    const missing = await ask(`${url}/amlyze-ws-rest/opeation`, { method: 'POST', headers, body: '{}' });
    expect(missing.json).toEqual({
      timestamp: expect.any(String) as string,
      status: 404,
      error: 'Not Found',
      path: '/amlyze-ws-rest/opeation',
    });
    expect((await ask(url + BATCH, { method: 'PUT', headers, body: '{}' })).status).toBe(405);
    expect((await ask(url + SINGLE, { method: 'POST', headers, body: '{}' })).status).toBe(405);
    expect((await sendSingle(url, '{}', { 'Content-Type': 'text/plain' })).status).toBe(415);
    for (const body of ['{', '[]', '{"accountBalances":[]}', '{}']) {
      const answer = await ask(url + BATCH, { method: 'POST', headers, body });
      expect([body, answer.status, answer.json['error']]).toEqual([body, 400, 'Bad Request']);
    }
  });

  it('takes PUT for a batch and POST for a single record where it is told to', async () => {
    await amlyze.control.settings({ batchMethods: ['PUT'], singleMethods: ['POST'] });
    const headers = { Authorization: `Bearer ${SANDBOX_AMLYZE.token}`, 'Content-Type': 'application/json' };
    const body = `{"accountBalances":[${record('p-1')}]}`;
    expect((await ask(url + BATCH, { method: 'PUT', headers, body })).status).toBe(200);
    expect((await ask(url + SINGLE, { method: 'POST', headers, body: record('p-2') })).status).toBe(200);
  });

  it('demands the tenant header where it is told to', async () => {
    await amlyze.control.settings({ tenantHeader: { name: 'X-Tenant', value: 'bank-1' } });
    const refused = await sendBatch(url, [record('h-1')]);
    expect([refused.status, refused.json['errorDescription']]).toEqual([400, 'Tenant header ’x-tenant’ is mandatory.']);
    expect((await sendBatch(url, [record('h-1')], { 'X-Tenant': 'bank-1' })).status).toBe(200);
    await amlyze.control.settings({ tenantHeader: null });
    expect((await sendBatch(url, [record('h-2')])).status).toBe(200);
  });

  it('knows only the business units that it is told', async () => {
    await amlyze.control.settings({ businessUnits: ['vilnius'] });
    const units = [undefined, 'riga', 'vilnius'];
    const records = units.map((businessUnit, index) => record(`u-${String(index)}`, { businessUnit }));
    expect(resultsOf(await sendBatch(url, records)).map((result) => result?.['errorDescription'])).toEqual([
      'Business unit is mandatory.',
      'Tenant ’sandbox’ business unit ’riga’ does not exist.',
      undefined,
    ]);
  });

  it('leaves the number of a rejected record free, or uses it up where it is told to', async () => {
    await sendBatch(url, [record('r-1', { accountExtId: 'nobody' })]);
    expect(resultsOf(await sendBatch(url, [record('r-1')]))[0]).toEqual(accepted('r-1'));
    await amlyze.control.settings({ rejectedConsumesNumber: true });
    await sendBatch(url, [record('r-2', { accountExtId: 'nobody' })]);
    expect(resultsOf(await sendBatch(url, [record('r-2')]))[0]).toMatchObject(USED);
  });

  it('answers 413 to a batch beyond the set size', async () => {
    await amlyze.control.settings({ maxBatchItems: 1 });
    expect((await sendBatch(url, [record('m-1'), record('m-2')])).status).toBe(413);
    expect((await sendBatch(url, [record('m-1')])).status).toBe(200);
  });

  it('counts a number that comes again, and one that comes again with other content', async () => {
    await sendBatch(url, [record('c-1')]);
    await sendBatch(url, [record('c-1')]);
    expect(await amlyze.control.stats()).toMatchObject({ replays: 1, replaysWithOtherContent: 0 });
    await sendBatch(url, [record('c-1', {}, '12.5')]);
    expect(await amlyze.control.stats()).toMatchObject({ replays: 2, replaysWithOtherContent: 1 });
  });

  it('treats numbers as used that it was told beforehand', async () => {
    await amlyze.control.call('POST', 'used-numbers', { communicationNumbers: ['old-1'] });
    expect(resultsOf(await sendBatch(url, [record('old-1')]))[0]).toMatchObject(USED);
    expect(await amlyze.control.ledger()).toEqual([]);
  });
});

describe('the ledger', () => {
  it('is read in pages, by account and by number, and forgets the oldest beyond its capacity', async () => {
    const { simulator, control } = await running(startAmlyzeSimulator({ ledgerCapacity: 8192 }));
    try {
      await control.putAccounts([{ accountExtId: 'A-1' }, { accountExtId: 'A-2' }]);
      const send = (from: number, count: number, accountExtId: string) =>
        sendBatch(
          simulator.url,
          Array.from({ length: count }, (_, index) => record(`n-${String(from + index)}`, { accountExtId })),
        );
      await send(0, 5, 'A-1');
      await send(5, 3, 'A-2');
      const page = await control.call('GET', 'ledger?offset=2&limit=2');
      expect(page).toMatchObject({
        total: 8,
        nextOffset: 4,
        items: [{ communicationNumber: 'n-2' }, { communicationNumber: 'n-3' }],
      });
      expect(await control.ledger('A-2')).toHaveLength(3);
      const found = await control.call('GET', 'ledger?communicationNumber=n-7');
      expect(found['items']).toMatchObject([{ communicationNumber: 'n-7', requestNo: 1 }]);
      await send(8, 2 * 8192, 'A-1');
      const kept = await control.call('GET', 'ledger?limit=1');
      expect(kept).toMatchObject({ total: 2 * 8192 + 8, firstKept: 8192 });
      expect(resultsOf(await sendBatch(simulator.url, [record('n-0')]))[0]).toEqual(accepted('n-0'));
      expect(resultsOf(await sendBatch(simulator.url, [record('n-8200')]))[0]).toMatchObject(USED);
    } finally {
      await simulator.close();
    }
  });
});

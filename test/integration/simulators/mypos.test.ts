import { randomUUID } from 'node:crypto';
import { SANDBOX_MYPOS, startMyposSimulator } from '../../../src/simulators';
import { ask, readMypos, type Running, running, tppCode } from './support';

const ACCOUNT = {
  accountNumber: '50044620073',
  iban: 'BG57INTF40015004462007',
  balances: [{ amount: '4.200', currency: 'PLN', balanceType: 'available' }],
};

describe('the myPOS simulator', () => {
  let mypos: Running;
  let url: string;

  beforeAll(async () => {
    mypos = await running(startMyposSimulator());
    url = mypos.simulator.url;
  });
  beforeEach(async () => {
    await mypos.control.reset();
    await mypos.control.putAccounts([ACCOUNT]);
  });
  afterAll(() => mypos.simulator.close());

  const consent = (fields: object) => mypos.control.call('POST', 'consents', fields);
  const token = (fields: object) => mypos.control.call('POST', 'tokens', fields);

  it("answers the vendor page's sample digit for digit and echoes X-Request-ID", async () => {
    const requestId = randomUUID();
    const answer = await readMypos(url, ACCOUNT.accountNumber, { 'X-Request-ID': requestId });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-request-id')).toBe(requestId);
    expect(answer.text).toBe(
      '{"account":{"accountNumber":"50044620073","iban":"BG57INTF40015004462007"},' +
        '"balances":[{"amount":4.200,"currency":"PLN","balanceType":"available"}]}',
    );
  });

  it('writes an amount that is no number as a text', async () => {
    await mypos.control.changeAccounts([
      { accountNumber: ACCOUNT.accountNumber, balances: [{ amount: 'NaN', currency: 'EUR' }] },
    ]);
    expect((await readMypos(url, ACCOUNT.accountNumber)).text).toContain('{"amount":"NaN","currency":"EUR"');
  });

  it('echoes another account where it is told to', async () => {
    await mypos.control.changeAccounts([{ accountNumber: ACCOUNT.accountNumber, answersAs: '50040000009' }]);
    const answer = await readMypos(url, ACCOUNT.accountNumber);
    expect(answer.json['account']).toMatchObject({ accountNumber: '50040000009' });
    expect(answer.text).toContain('4.200');
  });

  it.each([
    ['X-Request-ID', null, 400, 'FORMAT_ERROR'],
    ['X-Request-ID', 'not-a-uuid', 400, 'FORMAT_ERROR'],
    ['Consent-ID', null, 400, 'FORMAT_ERROR'],
    ['Consent-ID', 'not-a-uuid', 400, 'FORMAT_ERROR'],
    ['Consent-ID', '00000000-0000-4000-8000-00000000dead', 403, 'CONSENT_UNKNOWN'],
    ['Authorization', null, 401, 'TOKEN_UNKNOWN'],
    ['Authorization', 'Bearer somebody-elses', 401, 'TOKEN_UNKNOWN'],
    ['Authorization', `Basic ${SANDBOX_MYPOS.accessToken}`, 401, 'TOKEN_UNKNOWN'],
    ['API-Key', null, 400, 'FORMAT_ERROR'],
    ['API-Key', 'another-key', 403, 'SERVICE_BLOCKED'],
  ])('refuses %s: %s with %d %s', async (header, value, status, code) => {
    const answer = await readMypos(url, ACCOUNT.accountNumber, { [header]: value });
    expect(answer.status).toBe(status);
    expect(tppCode(answer)).toBe(code);
  });

  it('refuses an X-Request-ID that was used before, and counts it', async () => {
    const headers = { 'X-Request-ID': randomUUID() };
    expect((await readMypos(url, ACCOUNT.accountNumber, headers)).status).toBe(200);
    expect((await readMypos(url, ACCOUNT.accountNumber, headers)).status).toBe(400);
    expect((await mypos.control.stats())['repeatedRequestIds']).toBe(1);
    expect((await mypos.control.accessLog()).map((entry) => entry.note)).toEqual(['', 'REQUEST_ID_REPEATED']);
  });

  it.each([
    [{ expiresInMs: -1 }, 'TOKEN_EXPIRED'],
    [{ revoked: true }, 'TOKEN_INVALID'],
    [{ consentId: randomUUID() }, 'TOKEN_INVALID'],
  ])('refuses a token with %j as %s', async (fields, code) => {
    await token({ token: SANDBOX_MYPOS.accessToken, ...fields });
    const answer = await readMypos(url, ACCOUNT.accountNumber);
    expect([answer.status, tppCode(answer)]).toEqual([401, code]);
  });

  it('lets a token run out as its own clock goes on', async () => {
    await token({ token: 'short', expiresInMs: 60_000 });
    const headers = { Authorization: 'Bearer short' };
    expect((await readMypos(url, ACCOUNT.accountNumber, headers)).status).toBe(200);
    await mypos.control.settings({ clockOffsetMs: 61_000 });
    expect(tppCode(await readMypos(url, ACCOUNT.accountNumber, headers))).toBe('TOKEN_EXPIRED');
  });

  it.each([
    [{ status: 'expired' }, 'CONSENT_EXPIRED'],
    [{ validForMs: -1 }, 'CONSENT_EXPIRED'],
    [{ status: 'revokedByPsu' }, 'CONSENT_INVALID'],
    [{ accounts: ['another'] }, 'CONSENT_INVALID'],
  ])('refuses a consent with %j as %s', async (fields, code) => {
    await consent({ consentId: SANDBOX_MYPOS.consentId, ...fields });
    const answer = await readMypos(url, ACCOUNT.accountNumber);
    expect([answer.status, tppCode(answer)]).toEqual([401, code]);
  });

  it('does not know an account that nobody registered', async () => {
    const answer = await readMypos(url, '404');
    expect([answer.status, tppCode(answer)]).toEqual([404, 'RESOURCE_UNKNOWN']);
  });

  it('tells the status of a consent with a capital letter', async () => {
    await consent({ consentId: '11111111-1111-4111-8111-111111111111', status: 'received' });
    const headers = {
      'X-Request-ID': randomUUID(),
      Authorization: `Bearer ${SANDBOX_MYPOS.accessToken}`,
      'API-Key': SANDBOX_MYPOS.apiKey,
    };
    const answer = await ask(`${url}/v1/consents/11111111-1111-4111-8111-111111111111/status`, { headers });
    expect(answer.json).toEqual({ consentId: '11111111-1111-4111-8111-111111111111', consentStatus: 'Received' });
  });

  it('answers 429 beyond the reads of a day, except with a PSU present, and forgets them after 24 hours', async () => {
    await mypos.control.settings({ readsPerDay: 2 });
    const statuses = [];
    for (let read = 0; read < 3; read += 1) statuses.push((await readMypos(url, ACCOUNT.accountNumber)).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect(tppCode(await readMypos(url, ACCOUNT.accountNumber))).toBe('ACCESS_EXCEEDED');
    expect((await readMypos(url, ACCOUNT.accountNumber, { 'PSU-IP-Address': '192.0.2.1' })).status).toBe(200);
    await mypos.control.settings({ clockOffsetMs: 86_400_001 });
    expect((await readMypos(url, ACCOUNT.accountNumber)).status).toBe(200);
  });

  it('lets a token run out for good at a token-expiry fault', async () => {
    await mypos.control.addFault({ match: { times: 1 }, do: { kind: 'token-expiry' } });
    expect(tppCode(await readMypos(url, ACCOUNT.accountNumber))).toBe('TOKEN_EXPIRED');
    expect(tppCode(await readMypos(url, ACCOUNT.accountNumber))).toBe('TOKEN_EXPIRED');
  });
});

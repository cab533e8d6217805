import { randomUUID } from 'node:crypto';
import { SANDBOX_ONESINGLEVIEW, startOneSingleViewSimulator } from '../../../src/simulators';
import { signatureOf } from '../../../src/simulators/onesingleview/envelope';
import {
  ask,
  balanceQuestion,
  oneSingleViewToken,
  postSigned,
  readOneSingleView,
  type Running,
  running,
  TOKEN_REQUEST,
} from './support';

const { bankCode, consentId } = SANDBOX_ONESINGLEVIEW;
const ID = '100004000000000000000002';
const ACCOUNT = {
  bankCode,
  accountId: ID,
  balances: [
    {
      amount: '7896.21',
      currency: 'SAR',
      creditDebitIndicator: 'Debit',
      type: 'ClosingBooked',
      dateTime: '2024-12-31T10:40:00.000Z',
      creditLine: [{ included: true, type: 'New_Line', amount: '5000.00', currency: 'SAR' }],
    },
  ],
};

describe('the OneSingleView simulator', () => {
  let osv: Running;
  let url: string;
  let token: string;

  beforeAll(async () => {
    osv = await running(startOneSingleViewSimulator());
    url = osv.simulator.url;
  });
  beforeEach(async () => {
    await osv.control.reset();
    await osv.control.putAccounts([ACCOUNT]);
    token = await oneSingleViewToken(url);
  });
  afterAll(() => osv.simulator.close());

  const requestToken = (body: object, headers?: Record<string, string | null>) =>
    postSigned(`${url}/v1/api/observice/token`, JSON.stringify(body), headers);

  it('hands out a token for an hour, as a JWT with its end in it', async () => {
    const { status, json } = await requestToken(TOKEN_REQUEST);
    expect(status).toBe(200);
    expect(json).toMatchObject({ success: true, payload: { token_type: 'Bearer', expires_in: 3600 } });
    const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
    const { iat, exp } = JSON.parse(claims) as { iat: number; exp: number };
    expect(exp - iat).toBe(3600);
  });

  it.each([
    ['merchantId', 'somebody-else', 401],
    ['clientCode', 'wrong', 401],
    ['clientId', undefined, 400],
    ['grantType', undefined, 400],
    ['grantType', 'password', 400],
  ])('hands out none for %s: %s', async (field, value, status) => {
    expect((await requestToken({ ...TOKEN_REQUEST, [field]: value })).status).toBe(status);
  });

  it("answers the vendor page's sample in the documented shape", async () => {
    const answer = await readOneSingleView(url, token, balanceQuestion(ID));
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      success: true,
      payload: [
        {
          code: bankCode,
          data: {
            accountId: ID,
            balance: [
              {
                amount: { amount: '7896.21', currency: 'SAR' },
                creditDebitIndicator: 'Debit',
                type: 'ClosingBooked',
                dateTime: '2024-12-31T10:40:00.000Z',
                creditLine: [{ included: true, type: 'New_Line', amount: { amount: '5000.00', currency: 'SAR' } }],
              },
            ],
          },
          links: { self: 'https://' },
          meta: { totalPages: 0 },
        },
      ],
    });
  });

  it('computes the signature as documented, checked with a vector that was made with other tools', () => {
    const body = '{"clientId":"abcd","clientCode":"xyz","merchantId":"merchant","grantType":"client_credentials"}';
    expect(signatureOf(Buffer.from(body), '1234567890')).toBe(
      '5a0f5e6238cfa9b1f6c248194053bfde2c56d7f069fb60a31179995b15c60267',
    );
  });

  it('verifies the signature over non-ASCII bytes as they were sent', async () => {
    const accountId = 'حساب-١';
    await osv.control.putAccounts([{ ...ACCOUNT, accountId }]);
    const question = balanceQuestion(accountId);
    expect((await readOneSingleView(url, token, question)).status).toBe(200);
    const escaped = JSON.stringify(question).replace(
      /[^ -~]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    const answer = await postSigned(`${url}/v1/api/observice/balanceById`, escaped, {
      Authorization: `Bearer ${token}`,
    });
    expect(answer.status).toBe(401);
    expect((await osv.control.accessLog()).at(-1)?.note).toBe('SERIALISATION');
  });

  it.each([
    ['signature', '0'.repeat(64)],
    ['signature', null],
    ['clientId', 'wrong'],
    ['clientId', null],
    ['clientCode', 'wrong'],
    ['clientCode', null],
  ])('refuses the header %s: %s as unauthorised, on both services', async (header, value) => {
    const expected = { status: 'FAILURE', errorCode: 'APIERR401', message: 'Unauthorized or Invalid' };
    const read = await readOneSingleView(url, token, balanceQuestion(ID), { [header]: value });
    const asked = await requestToken(TOKEN_REQUEST, { [header]: value });
    expect([read.status, asked.status]).toEqual([401, 401]);
    expect([read.json, asked.json]).toEqual([expected, expected]);
  });

  it('asks for two headers only where it is set to the older pages', async () => {
    await osv.control.settings({ headerSet: 'two' });
    const without = { clientId: null, clientCode: null };
    expect((await readOneSingleView(url, token, balanceQuestion(ID), without)).status).toBe(200);
  });

  it.each([null, 'Bearer somebody-elses'])('refuses the Authorization %s', async (value) => {
    const answer = await readOneSingleView(url, token, balanceQuestion(ID), { Authorization: value });
    expect([answer.status, answer.json['errorCode']]).toEqual([401, 'APIERR401']);
  });

  it('refuses a token whose lifetime is over, and takes a new one', async () => {
    await osv.control.settings({ clockOffsetMs: 3_600_001, stampToleranceMs: 7_200_000 });
    expect((await readOneSingleView(url, token, balanceQuestion(ID))).status).toBe(401);
    const renewed = await oneSingleViewToken(url);
    expect((await readOneSingleView(url, renewed, balanceQuestion(ID))).status).toBe(200);
  });

  it('hands out opaque tokens, of a set lifetime and with another expires_in, where it is told to', async () => {
    await osv.control.settings({ tokenFormat: 'opaque', tokenLifetimeMs: 5000, reportedExpiresIn: 0 });
    const { json } = await requestToken(TOKEN_REQUEST);
    expect(json['payload']).toMatchObject({ expires_in: 0, access_token: expect.not.stringContaining('.') });
    await osv.control.settings({ clockOffsetMs: 5001 });
    const opaque = String((json['payload'] as Record<string, unknown>)['access_token']);
    expect((await readOneSingleView(url, opaque, balanceQuestion(ID))).status).toBe(401);
  });

  it('takes a token that was registered, until it is revoked', async () => {
    const read = async () => (await readOneSingleView(url, 'registered', balanceQuestion(ID))).status;
    expect(await read()).toBe(401);
    await osv.control.call('POST', 'tokens', { token: 'registered' });
    expect(await read()).toBe(200);
    await osv.control.call('POST', 'tokens', { token: 'registered', revoked: true });
    expect(await read()).toBe(401);
  });

  it("refuses another bank's consent", async () => {
    await osv.control.call('POST', 'consents', { consentId: 'urn:ALINMA:kac-1', bankCode: 'ALINMA' });
    const banks = [{ code: bankCode, consentId: 'urn:ALINMA:kac-1', accountId: ID }];
    const answer = await readOneSingleView(url, token, balanceQuestion(ID, { banks }));
    expect([answer.status, answer.json['message']]).toEqual([403, 'Consent is unknown']);
  });

  it('revokes every token at DELETE tokens', async () => {
    await osv.control.call('DELETE', 'tokens');
    expect((await readOneSingleView(url, token, balanceQuestion(ID))).status).toBe(401);
  });

  it('lets a token run out for good at a token-expiry fault', async () => {
    await osv.control.addFault({ match: { account: ID, times: 1 }, do: { kind: 'token-expiry' } });
    expect((await readOneSingleView(url, token, balanceQuestion(ID))).status).toBe(401);
    expect((await readOneSingleView(url, token, balanceQuestion(ID))).status).toBe(401);
    expect((await readOneSingleView(url, await oneSingleViewToken(url), balanceQuestion(ID))).status).toBe(200);
  });

  it.each([
    [{ dateTimeStamp: undefined }, 'dateTimeStamp is mandatory'],
    [{ dateTimeStamp: '2024-12-31T10:40:00+02:00' }, 'dateTimeStamp is not the time of the request'],
    [{ dateTimeStamp: 'yesterday' }, 'dateTimeStamp is not the time of the request'],
    [{ requestID: 'not-a-uuid' }, 'requestID is mandatory, in UUID format'],
    [{ merchantId: undefined }, 'merchantId is mandatory'],
    [{ merchantId: 'somebody-else' }, 'merchantId is not known'],
    [{ banks: [] }, 'banks needs code, consentId and accountId'],
    [{ banks: [{ code: bankCode, consentId }] }, 'banks needs code, consentId and accountId'],
    [{ banks: [{ code: 'ALINMA', consentId, accountId: ID }] }, 'Selected bank not available for your app'],
  ])('refuses %j: %s', async (changes, message) => {
    const answer = await readOneSingleView(url, token, balanceQuestion(ID, changes));
    expect(answer.status).toBe(400);
    expect(answer.json).toEqual({ status: 'FAILURE', errorCode: 'APIERR400', message });
  });

  it("takes the spelling of the vendor's tables only where it is told to", async () => {
    const spelt = () => ({
      ...balanceQuestion(ID, { dateTimeStamp: undefined, requestID: undefined }),
      DateTimeStamp: new Date().toISOString(),
      RequestID: randomUUID(),
    });
    expect((await readOneSingleView(url, token, spelt())).status).toBe(400);
    await osv.control.settings({ envelopeSpelling: 'table' });
    expect((await readOneSingleView(url, token, spelt())).status).toBe(200);
    expect((await readOneSingleView(url, token, balanceQuestion(ID))).status).toBe(400);
  });

  it('refuses a requestID that was used before, and counts it', async () => {
    const requestID = randomUUID();
    expect((await readOneSingleView(url, token, balanceQuestion(ID, { requestID }))).status).toBe(200);
    expect((await readOneSingleView(url, token, balanceQuestion(ID, { requestID }))).status).toBe(400);
    expect((await osv.control.stats())['repeatedRequestIds']).toBe(1);
  });

  it.each([
    [{ consentId: 'urn:SVMB01:kac-unknown' }, {}, 'Consent is unknown'],
    [{}, { validForMs: -1 }, 'Consent has expired'],
    [{}, { status: 'revokedByPsu' }, 'Consent is not valid: revokedByPsu'],
    [{}, { accounts: ['another'] }, 'Consent is not valid for this account'],
  ])('refuses the consent %j %j: %s', async (asked, registered, message) => {
    await osv.control.call('POST', 'consents', { consentId, bankCode, ...registered });
    const banks = [{ code: bankCode, consentId, accountId: ID, ...asked }];
    const answer = await readOneSingleView(url, token, balanceQuestion(ID, { banks }));
    expect([answer.status, answer.json['message']]).toEqual([403, message]);
  });

  it('does not find an account that nobody registered', async () => {
    const answer = await readOneSingleView(url, token, balanceQuestion('404'));
    expect([answer.status, answer.json['message']]).toEqual([404, 'Account not found']);
  });

  it('refuses another content type, another method, another path and no JSON', async () => {
    const path = `${url}/v1/api/observice/balanceById`;
    expect((await postSigned(path, '{}', { 'Content-Type': 'text/plain' })).status).toBe(400);
    expect((await postSigned(path, '{')).status).toBe(400);
    expect((await ask(path)).status).toBe(405);
    expect((await postSigned(`${url}/v1/api/observice/nothing`, '{}')).status).toBe(404);
  });

  it('echoes another account where it is told to', async () => {
    await osv.control.changeAccounts([{ bankCode, accountId: ID, answersAs: '999' }]);
    const answer = await readOneSingleView(url, token, balanceQuestion(ID));
    expect(answer.text).toContain('"accountId":"999"');
  });
});

import { MyposProvider } from '../../../src/providers/mypos/mypos.provider';
import { MyposSettings } from '../../../src/providers/mypos/mypos.settings';
import type { BalanceQuestion, ProviderConnection } from '../../../src/providers/provider';
import { HttpClient } from '../../../src/shared/http-client';
import { bankServers, ownHeaders, startBankServer } from '../../support/bank-server';
import type { GivenAnswer } from '../../support/bank-server';
import { fixture } from '../../support/fixture';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const http = new HttpClient({ allowPrivateAddresses: true });
const bank = bankServers();

afterAll(async () => {
  await http.close();
});

describe('myPOS over the wire', () => {
  const provider = new MyposProvider(http);
  const question: BalanceQuestion = {
    requestId: 'a552babc-7081-44e7-9361-61eb17e0bfd9',
    bankCode: '',
    providerAccountId: '50044620073',
    consentId: '3c7816ee-3d51-4bf5-8ced-ece2af35d431',
    accessToken: 'access-token-canary',
  };

  function connection(baseUrl: string, settings: Partial<MyposSettings> = {}): ProviderConnection<MyposSettings> {
    return {
      id: '1',
      version: '1',
      name: 'myPOS',
      baseUrl,
      settings: Object.assign(new MyposSettings(), settings),
      secrets: { apiKey: 'api-key-canary' },
      timeoutMs: 2000,
    };
  }

  it('asks as the vendor describes it, with no header more', async () => {
    const { url, requests } = await bank(() => ({ body: fixture('mypos/available.json') }));
    const result = await provider.fetchBalances(connection(url), question);
    expect(result).toMatchObject({ kind: 'answered', httpStatus: 200, body: fixture('mypos/available.json') });
    expect(requests).toHaveLength(1);
    const [request] = requests;
    expect(request).toMatchObject({
      method: 'GET',
      url: '/v1/accounts/50044620073/balances',
      headers: {
        'X-Request-ID': question.requestId,
        'Consent-ID': question.consentId,
        Authorization: 'Bearer access-token-canary',
        'API-Key': 'api-key-canary',
        Accept: 'application/json',
      },
    });
    expect(request && ownHeaders(request)).toEqual(['API-Key', 'Authorization', 'Consent-ID', 'X-Request-ID']);
    expect(request?.body).toHaveLength(0);
  });

  it('keeps the path prefix of the base URL and encodes the account number', async () => {
    const { url, requests } = await bank(() => ({ body: '{"balances":[]}' }));
    await provider.fetchBalances(connection(`${url}/psd2/`), { ...question, providerAccountId: 'a/b?c#d é$&' });
    expect(requests[0]?.url).toBe('/psd2/v1/accounts/a%2Fb%3Fc%23d%20%C3%A9%24%26/balances');
  });

  it.each(['..', '.', ''])('does not send a request whose account number is "%s"', async (providerAccountId) => {
    const { url, requests } = await bank(() => ({}));
    const result = await provider.fetchBalances(connection(url), { ...question, providerAccountId });
    expect(result).toMatchObject({ outcome: 'GATEWAY_ERROR', bytesMayHaveLeft: false });
    expect(requests).toHaveLength(0);
  });

  it('sends PSU headers only where a PSU is present', async () => {
    const { url, requests } = await bank(() => ({ body: '{"balances":[]}' }));
    const psu = { ipAddress: '192.0.2.7', ipPort: '1234' };
    await provider.fetchBalances(connection(url), { ...question, psu });
    const psuHeaders = Object.entries(requests[0]?.headers ?? {}).filter(([name]) => name.startsWith('PSU-'));
    expect(Object.fromEntries(psuHeaders)).toEqual({ 'PSU-IP-Address': '192.0.2.7', 'PSU-IP-Port': '1234' });
  });

  it('follows the settings for the path and the Consent-ID header', async () => {
    const { url, requests } = await bank(() => ({ body: '{"balances":[]}' }));
    const settings = { sendConsentId: false, balancePath: '/v2/accounts/{accountNumber}/balances' };
    await provider.fetchBalances(connection(url, settings), question);
    expect(requests[0]?.url).toBe('/v2/accounts/50044620073/balances');
    expect(requests[0]?.headers).not.toHaveProperty('Consent-ID');
  });

  it('keeps neither token nor key of a success that echoes the request', async () => {
    const echo = '{"balances":[],"authorization":"Bearer access-token-canary","key":"api-key-canary-long"}';
    const { url } = await bank(() => ({ body: echo }));
    const asked = { ...connection(url), secrets: { apiKey: 'api-key-canary-long' } };
    expect(await provider.fetchBalances(asked, question)).toMatchObject({
      kind: 'answered',
      body: '{"balances":[],"authorization":"Bearer [secret]","key":"[secret]"}',
    });
  });

  it('makes no call without an access token', async () => {
    const { accessToken: _none, ...bare } = question;
    const { url, requests } = await bank(() => ({}));
    const result = await provider.fetchBalances(connection(url), bare);
    expect(result).toMatchObject({ outcome: 'TOKEN_REJECTED', stops: 'consent', bytesMayHaveLeft: false });
    expect(requests).toHaveLength(0);
  });

  it.each<[string, GivenAnswer, object]>([
    [
      'an expired token',
      { status: 401, body: fixture('mypos/error-token-expired.json') },
      { outcome: 'TOKEN_REJECTED', retry: 'next-slot', stops: 'consent' },
    ],
    [
      'a page in place of balances',
      { headers: { 'Content-Type': 'text/html' }, body: '<html>Sign in</html>' },
      { outcome: 'INVALID_PAYLOAD', retry: 'next-slot' },
    ],
    ['a page labelled as JSON', { body: '<html>Sign in</html>' }, { outcome: 'INVALID_PAYLOAD', retry: 'next-slot' }],
    [
      'balances labelled as text',
      { headers: { 'Content-Type': 'text/plain' }, body: '{"balances":[]}' },
      { outcome: 'INVALID_PAYLOAD' },
    ],
    [
      'a refusal under status 200',
      { body: fixture('mypos/error-consent-expired.json') },
      { outcome: 'CONSENT_REQUIRED', stops: 'consent' },
    ],
    [
      'a refusal under status 200 beside balances that are null',
      { body: '{"account":null,"balances":null,"tppMessages":[{"category":"ERROR","code":"CONSENT_EXPIRED"}]}' },
      { outcome: 'CONSENT_REQUIRED', stops: 'consent' },
    ],
    [
      'a refusal in words under status 200',
      { body: '{"message":"The consent has expired"}' },
      { outcome: 'CONSENT_REQUIRED', stops: 'consent', reason: 'myPOS answered 200: The consent has expired' },
    ],
    [
      'millions of balances',
      { body: `{"balances":[${'{},'.repeat(1_500_000)}{}]}` },
      { outcome: 'INVALID_PAYLOAD', reason: expect.stringContaining('more than 10000 values') },
    ],
    [
      'a refusal beside millions of values',
      { status: 403, body: `{"tppMessages":[{"code":"CONSENT_EXPIRED"}],"more":[${'1,'.repeat(1_500_000)}1]}` },
      { outcome: 'BANK_ERROR' },
    ],
    ['a redirect', { status: 302, headers: { Location: 'http://127.0.0.1:1/' } }, { outcome: 'BANK_ERROR' }],
    ['a busy service', { status: 503 }, { outcome: 'BANK_UNAVAILABLE', retry: 'in-run', stops: 'nothing' }],
    [
      'too many calls',
      { status: 429, headers: { 'Retry-After': '30' } },
      { outcome: 'RATE_LIMITED', stops: 'connection', retryAfterMs: 30_000 },
    ],
  ])('translates %s', async (_what, given, expected) => {
    const { url } = await bank(() => given);
    const result = await provider.fetchBalances(connection(url), question);
    expect(result).toMatchObject({ kind: 'failed', bytesMayHaveLeft: true, ...expected });
    expect(JSON.stringify(result)).not.toContain('canary');
  });

  it('says that nothing left where nobody listens', async () => {
    const { url, close } = await startBankServer(() => ({}));
    await close();
    const result = await provider.fetchBalances(connection(url), question);
    expect(result).toMatchObject({ outcome: 'BANK_UNAVAILABLE', retry: 'in-run', bytesMayHaveLeft: false });
  });

  describe('check', () => {
    it('asks for a consent that nobody has, and calls its refusal reachable', async () => {
      const { url, requests } = await bank(() => ({ status: 404, body: '{}' }));
      const result = await provider.check(connection(url));
      expect(result).toMatchObject({ ok: true });
      expect(result.detail).toContain('404');
      const [request] = requests;
      expect(request?.url).toMatch(/^\/v1\/consents\/[0-9a-f-]{36}\/status$/);
      expect(request && ownHeaders(request)).toEqual(['API-Key', 'X-Request-ID']);
      expect(request?.headers['X-Request-ID']).toMatch(UUID);
    });

    it.each<[string, GivenAnswer, boolean]>([
      ['a call without a token', { status: 401, body: '{"error":"invalid_token"}' }, true],
      ['the API key', { status: 401, body: '{"message":"Invalid API key"}' }, false],
      ['the certificate', { status: 400, body: fixture('mypos/error-certificate.html') }, false],
      ['service', { status: 503 }, false],
      ['to stay', { status: 301, headers: { Location: '/' } }, false],
      ['to be an API', { headers: { 'Content-Type': 'text/html' }, body: '<html></html>' }, false],
    ])('judges a host that refuses %s', async (_what, given, ok) => {
      const { url } = await bank(() => given);
      expect((await provider.check(connection(url))).ok).toBe(ok);
    });

    it('says what went wrong where nobody listens', async () => {
      const { url, close } = await startBankServer(() => ({}));
      await close();
      const result = await provider.check(connection(url));
      expect(result.ok).toBe(false);
      expect(result.detail).toContain('refused');
    });
  });
});

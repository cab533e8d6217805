import { createHash, randomBytes } from 'node:crypto';
import { CONNECTION_VERSION } from '../../../src/providers/connection-version';
import { OneSingleViewProvider } from '../../../src/providers/onesingleview/onesingleview.provider';
import { OneSingleViewSettings } from '../../../src/providers/onesingleview/onesingleview.settings';
import { type BalanceQuestion, EndedBeforeCall, type ProviderConnection } from '../../../src/providers/provider';
import { ProviderTokens } from '../../../src/providers/provider-tokens';
import { HttpClient } from '../../../src/shared/http-client';
import { SecretBox } from '../../../src/shared/secret-box';
import { bankServers, ownHeaders } from '../../support/bank-server';
import type { BankServer, GivenAnswer, SeenRequest } from '../../support/bank-server';
import { fixture } from '../../support/fixture';
import { createTestDatabase } from '../../support/postgres';
import type { TestDatabase } from '../../support/postgres';

const NOW = new Date('2024-12-31T07:40:00.987Z');

const http = new HttpClient({ allowPrivateAddresses: true });
const bank = bankServers();

afterAll(async () => {
  await http.close();
});

describe('OneSingleView over the wire', () => {
  let test: TestDatabase;
  let connectionId: string;
  let version: string;
  let provider: OneSingleViewProvider;

  const question: BalanceQuestion = {
    requestId: 'df797efb-b588-4234-8ae1-5cb748559830',
    bankCode: 'SVMB01',
    providerAccountId: '100004000000000000000002',
    consentId: 'urn:SVMB01:kac-5a166b7d-8cdb-443a-a67a-80ad7a5b95b3',
  };

  beforeAll(async () => {
    test = await createTestDatabase();
  });

  afterAll(async () => {
    await test.drop();
  });

  beforeEach(async () => {
    const [row] = await test.database.query<{ id: string; version: string }>(
      `insert into connection (name, provider, base_url) values ($1, 'onesingleview', 'https://bank.example')
       returning id, ${CONNECTION_VERSION} as version`,
      [randomBytes(8).toString('hex')],
    );
    connectionId = row?.id ?? '';
    version = row?.version ?? '';
    const box = new SecretBox([{ id: 'k1', key: randomBytes(32) }]);
    const tokens = new ProviderTokens(test.database, box, { leaseSeconds: 1, pollIntervalMs: 10 });
    provider = new OneSingleViewProvider(http, tokens, () => NOW);
  });

  function connection(
    baseUrl: string,
    settings: Partial<OneSingleViewSettings> = {},
  ): ProviderConnection<OneSingleViewSettings> {
    return {
      id: connectionId,
      version,
      name: 'OneSingleView',
      baseUrl,
      settings: Object.assign(new OneSingleViewSettings(), {
        merchantId: 'APIS-300505',
        creditLine: 'own-funds',
        ...settings,
      }),
      secrets: { clientId: 'client-id', clientCode: 'code-canary', signatureKey: 'signing-canary' },
      timeoutMs: 2000,
    };
  }

  /** Grants token-1, token-2 … and answers balance calls with `answer`. */
  function observice(answer: (request: SeenRequest, number: number) => GivenAnswer): Promise<BankServer> {
    let granted = 0;
    let reads = 0;
    return bank((request) => {
      if (!request.url.endsWith('/token')) return answer(request, ++reads);
      granted += 1;
      return { body: fixture('onesingleview/token.json').replace('sample-access-token', `token-${granted}`) };
    });
  }

  /** The documented algorithm once more, over the bytes that came. */
  function signatureOf(body: Buffer): string {
    return createHash('sha256')
      .update(`${body.toString('base64')}signing-canary`)
      .digest('hex');
  }

  const balances = { body: fixture('onesingleview/vendor-sample.json') };

  it('ends before its call, and says so, where the token cannot be looked for', async () => {
    const cause = Object.assign(new Error('deadlock detected'), { code: '40P01' });
    const box = new SecretBox([{ id: 'k1', key: randomBytes(32) }]);
    const tokens = new ProviderTokens({ query: () => Promise.reject(cause) }, box, {
      leaseSeconds: 1,
      pollIntervalMs: 10,
    });
    const server = await observice(() => balances);
    const read = new OneSingleViewProvider(http, tokens).fetchBalances(connection(server.url), question);
    await expect(read).rejects.toEqual(new EndedBeforeCall(cause));
    expect(server.requests).toEqual([]);
  });

  it('asks for a token and for the balance as the vendor describes it, with no header more', async () => {
    const { url, requests } = await observice(() => balances);
    const result = await provider.fetchBalances(connection(url), question);
    expect(result).toMatchObject({ kind: 'answered', httpStatus: 200, body: balances.body });
    const [token, balance] = requests;
    expect(requests.map((request) => `${request.method} ${request.url}`)).toEqual([
      'POST /v1/api/observice/token',
      'POST /v1/api/observice/balanceById',
    ]);
    expect(token?.body.toString()).toBe(
      '{"clientId":"client-id","clientCode":"code-canary","merchantId":"APIS-300505","grantType":"client_credentials"}',
    );
    expect(token && ownHeaders(token)).toEqual(['clientCode', 'clientId', 'signature']);
    expect(balance?.body.toString()).toBe(
      '{"dateTimeStamp":"2024-12-31T07:40:00+00:00","requestID":"df797efb-b588-4234-8ae1-5cb748559830",' +
        '"merchantId":"APIS-300505","banks":[{"code":"SVMB01",' +
        '"consentId":"urn:SVMB01:kac-5a166b7d-8cdb-443a-a67a-80ad7a5b95b3","accountId":"100004000000000000000002"}]}',
    );
    expect(balance && ownHeaders(balance)).toEqual(['Authorization', 'clientCode', 'clientId', 'signature']);
    expect(balance?.headers).toMatchObject({
      clientId: 'client-id',
      clientCode: 'code-canary',
      Authorization: 'Bearer token-1',
      'Content-Type': 'application/json',
    });
    for (const request of requests) expect(request.headers.signature).toBe(signatureOf(request.body));
  });

  it('sends the very bytes it signed, Arabic text and slashes unescaped', async () => {
    const { url, requests } = await observice(() => balances);
    await provider.fetchBalances(connection(url, { merchantId: 'متجر/1' }), question);
    expect(requests).toHaveLength(2);
    for (const { body, headers } of requests) {
      expect(body.toString('utf8')).toContain('"merchantId":"متجر/1"');
      expect(headers.signature).toBe(signatureOf(body));
      expect(headers['Content-Length'] ?? headers['content-length']).toBe(String(body.length));
    }
  });

  it('follows the settings for headers, spellings and paths', async () => {
    const { url, requests } = await observice(() => balances);
    const settings = {
      headerSet: 'two',
      envelopeSpelling: 'table',
      grantType: 'Client_Credentials',
      tokenPath: '/ob/token',
      balancePath: '/ob/balance',
    } as const;
    await provider.fetchBalances(connection(`${url}/`, settings), question);
    const [token, balance] = requests;
    expect([token?.url, balance?.url]).toEqual(['/ob/token', '/ob/balance']);
    expect(token?.body.toString()).toContain('"grantType":"Client_Credentials"');
    expect(Object.keys(JSON.parse(balance?.body.toString() ?? '{}') as object)).toEqual([
      'DateTimeStamp',
      'RequestID',
      'merchantId',
      'banks',
    ]);
    expect(token && ownHeaders(token)).toEqual(['signature']);
    expect(balance && ownHeaders(balance)).toEqual(['Authorization', 'signature']);
  });

  it('asks for one token for many reads', async () => {
    const { url, requests } = await observice(() => balances);
    await Promise.all([1, 2, 3, 4, 5].map(() => provider.fetchBalances(connection(url), question)));
    await provider.fetchBalances(connection(url), question);
    expect(requests.filter((request) => request.url.endsWith('/token'))).toHaveLength(1);
    expect(requests).toHaveLength(7);
  });

  it('lets a refused token go, so that the repeat has a new one', async () => {
    const { url, requests } = await observice((_request, number) =>
      number === 1 ? { status: 401, body: fixture('onesingleview/error-middleware.json') } : balances,
    );
    const refused = await provider.fetchBalances(connection(url), question);
    expect(refused).toMatchObject({
      outcome: 'TOKEN_REJECTED',
      retry: 'renew-token',
      stops: 'consent',
      bytesMayHaveLeft: true,
    });
    expect(requests).toHaveLength(2); // the repeat is the caller's
    const repeated = await provider.fetchBalances(connection(url), question);
    expect(repeated.kind).toBe('answered');
    expect(requests.at(-1)?.headers.Authorization).toBe('Bearer token-2');
  });

  it.each<[string, GivenAnswer, object]>([
    ['FAILURE under status 200', { body: fixture('onesingleview/error-failure.json') }, { outcome: 'BANK_ERROR' }],
    [
      'success: false under status 200',
      { body: fixture('onesingleview/error-success-false.json') },
      { outcome: 'CONSENT_REQUIRED' },
    ],
    ['an answer without the flag', { body: '{"payload":[]}' }, { outcome: 'BANK_ERROR' }],
    [
      'a page',
      { headers: { 'Content-Type': 'text/html' }, body: '<html></html>' },
      { outcome: 'INVALID_PAYLOAD', retry: 'next-slot' },
    ],
    [
      'millions of balances',
      { body: `{"success":true,"payload":[{"data":{"balance":[${'{},'.repeat(1_500_000)}{}]}}]}` },
      { outcome: 'INVALID_PAYLOAD', reason: expect.stringContaining('more than 10000 values') },
    ],
    ['a 404', { status: 404, body: '{}' }, { outcome: 'ACCOUNT_UNKNOWN' }],
    ['a 500', { status: 500, body: 'token-1' }, { outcome: 'BANK_UNAVAILABLE', retry: 'in-run' }],
  ])('translates %s', async (_what, given, expected) => {
    const { url } = await observice(() => given);
    const result = await provider.fetchBalances(connection(url), question);
    expect(result).toMatchObject({ kind: 'failed', bytesMayHaveLeft: true, ...expected });
    expect(JSON.stringify(result)).not.toMatch(/canary|token-1/);
  });

  it.each<[string, GivenAnswer, object]>([
    [
      'refuses our credentials',
      { status: 401, body: '{"status":"FAILURE","errorCode":"APIERR401"}' },
      { outcome: 'CERTIFICATE_PROBLEM', stops: 'connection' },
    ],
    ['is down', { status: 502 }, { outcome: 'BANK_UNAVAILABLE', retry: 'in-run', stops: 'nothing' }],
    ['is at another path', { status: 404 }, { outcome: 'BANK_ERROR', stops: 'nothing' }],
    [
      'answers with a page',
      { headers: { 'Content-Type': 'text/html' }, body: '<html></html>' },
      { outcome: 'INVALID_PAYLOAD' },
    ],
    ['grants nothing', { body: '{"success":true,"payload":{"access_token":""}}' }, { outcome: 'BANK_ERROR' }],
    [
      'grants what no header can carry',
      { body: '{"success":true,"payload":{"access_token":"a\\r\\nX: y"}}' },
      { outcome: 'BANK_ERROR' },
    ],
  ])('reads nothing and counts nothing where the token service %s', async (_what, given, expected) => {
    const { url, requests } = await bank(() => given);
    const result = await provider.fetchBalances(connection(url), question);
    expect(result).toMatchObject({ kind: 'failed', bytesMayHaveLeft: false, ...expected });
    expect(result).not.toHaveProperty('body');
    expect(requests).toHaveLength(1);
  });

  it('checks with a fresh token that it does not keep', async () => {
    const { url, requests } = await observice(() => balances);
    const result = await provider.check(connection(url));
    expect(result).toMatchObject({ ok: true });
    expect(JSON.stringify(result)).not.toContain('token-1');
    expect(requests).toHaveLength(1);
    const rows = await test.database.query('select 1 from connection_token where connection_id = $1', [connectionId]);
    expect(rows).toEqual([]);
  });

  it('says in a check that the credentials are refused, without showing them', async () => {
    const { url } = await bank(() => ({ status: 401, body: '{"success":false,"message":"code-canary is wrong"}' }));
    const result = await provider.check(connection(url));
    expect(result.ok).toBe(false);
    expect(result.detail).toContain('401');
    expect(result.detail).not.toContain('canary');
  });
});

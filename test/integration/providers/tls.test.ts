import { randomBytes } from 'node:crypto';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { clientTls } from '../../../src/providers/client-tls';
import { MyposProvider } from '../../../src/providers/mypos/mypos.provider';
import { MyposSettings } from '../../../src/providers/mypos/mypos.settings';
import { OneSingleViewProvider } from '../../../src/providers/onesingleview/onesingleview.provider';
import { OneSingleViewSettings } from '../../../src/providers/onesingleview/onesingleview.settings';
import { ProviderTokens } from '../../../src/providers/provider-tokens';
import { HttpClient } from '../../../src/shared/http-client';
import { SecretBox } from '../../../src/shared/secret-box';
import { fixture } from '../../support/fixture';
import { httpAnswer, startRawServer } from '../../support/misbehaving-server';
import type { MisbehavingServer } from '../../support/misbehaving-server';

const AUTHORITY = fixture('tls/test-authority.pem');
const IDENTITY = {
  caCertificate: AUTHORITY,
  clientCertificate: fixture('tls/test-client.pem'),
  clientKey: fixture('tls/TEST-client.key.pem'),
};
const QUESTION = {
  requestId: 'a552babc-7081-44e7-9361-61eb17e0bfd9',
  bankCode: '',
  providerAccountId: '50044620073',
  consentId: '3c7816ee-3d51-4bf5-8ced-ece2af35d431',
  accessToken: 'access-token',
};

const http = new HttpClient({ allowPrivateAddresses: true });
let bank: MisbehavingServer;
let clients: string[];

/** A bank that talks to holders of a client certificate only. */
async function startBank(body: string): Promise<string> {
  const options: TlsOptions = {
    cert: fixture('tls/test-server.pem'),
    key: fixture('tls/TEST-server.key.pem'),
    ca: AUTHORITY,
    requestCert: true,
    rejectUnauthorized: true,
  };
  clients = [];
  bank = await startRawServer(({ socket }) => {
    clients.push(String((socket as TLSSocket).getPeerCertificate().subject.CN));
    socket.write(httpAnswer(body));
  }, options);
  return bank.url;
}

afterEach(() => bank.close());
afterAll(() => http.close());

describe('a bank that demands a client certificate', () => {
  const provider = new MyposProvider(http);

  it.each([
    ['answers myPOS reads that bring it', IDENTITY, 'answered', undefined],
    ['stops the connection where it is missing', { caCertificate: AUTHORITY }, 'failed', 'CERTIFICATE_PROBLEM'],
  ])('%s', async (_claim, secrets, kind, outcome) => {
    const baseUrl = await startBank(fixture('mypos/available.json'));
    const tls = clientTls(secrets);
    const settings = new MyposSettings();
    const connection = {
      id: '1',
      version: '1',
      name: 'myPOS',
      baseUrl,
      settings,
      secrets: { apiKey: 'key' },
      timeoutMs: 2000,
    };
    const result = await provider.fetchBalances({ ...connection, ...(tls && { tls }) }, QUESTION);
    expect(result.kind).toBe(kind);
    if (result.kind === 'failed') expect(result).toMatchObject({ outcome, stops: 'connection', retry: 'next-slot' });
    expect(clients).toHaveLength(kind === 'answered' ? 1 : 0);
  });

  it('grants OneSingleView a token over the same kind of connection', async () => {
    const baseUrl = await startBank(fixture('onesingleview/token.json'));
    const noDatabase = { query: () => Promise.reject(new Error('a check stores nothing')) };
    const box = new SecretBox([{ id: 'k1', key: randomBytes(32) }]);
    const tokens = new ProviderTokens(noDatabase, box, { leaseSeconds: 1, pollIntervalMs: 10 });
    const tls = clientTls(IDENTITY);
    const checked = await new OneSingleViewProvider(http, tokens).check({
      id: '2',
      version: '1',
      name: 'OneSingleView',
      baseUrl,
      settings: Object.assign(new OneSingleViewSettings(), { merchantId: 'APIS-300505', creditLine: 'own-funds' }),
      secrets: { clientId: 'id', clientCode: 'code', signatureKey: 'key' },
      timeoutMs: 2000,
      ...(tls && { tls }),
    });
    expect(checked).toMatchObject({ ok: true });
    expect(clients).toHaveLength(1);
  });
});

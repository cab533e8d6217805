import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type TLSSocket, type TlsOptions } from 'node:tls';
import { runInThisContext } from 'node:vm';
import { HttpClient, type Answer, type CallFailure, type ClientTls } from '../../src/shared/http-client';
import { httpAnswer, startRawServer, type MisbehavingServer } from '../support/misbehaving-server';

const fixture = (name: string): string => readFileSync(join(__dirname, '../fixtures/tls', name), 'utf8');
const authority = fixture('test-authority.pem');
const clientIdentity = { certificate: fixture('test-client.pem'), key: fixture('TEST-client.key.pem') };
const PASSPHRASE = 'test-only-passphrase';

const client = new HttpClient({ allowPrivateAddresses: true });
const servers: MisbehavingServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));
afterAll(() => client.close());

/** A TLS server with one of the fixtures' certificates that answers with the name in the client's certificate. */
async function serve(
  name: string,
  options: TlsOptions = {},
): Promise<{ url: string; port: number; requests: () => number }> {
  let requests = 0;
  const identity = { cert: fixture(`test-${name}.pem`), key: fixture(`TEST-${name}.key.pem`) };
  const server = await startRawServer(
    ({ socket, number }) => {
      requests = number;
      const subject = (socket as TLSSocket).getPeerCertificate().subject;
      socket.write(httpAnswer(JSON.stringify(subject?.CN ?? null)));
    },
    { ...identity, ...options },
  );
  servers.push(server);
  return { url: server.url, port: server.port, requests: () => requests };
}

function call(url: string, tls?: ClientTls): Promise<Answer | CallFailure> {
  return client.send({ method: 'GET', url, headers: {}, deadlineMs: 5_000, ...(tls && { tls }) });
}

describe('a server certificate', () => {
  it('is accepted from the authority that the connection names', async () => {
    const { url } = await serve('server');
    expect(await call(url, { ca: authority })).toMatchObject({ kind: 'answer', body: 'null' });
  });

  it.each<[string, string, ClientTls, string]>([
    ['an unknown authority', 'server', {}, 'unknown authority'],
    ['nobody', 'self-signed', {}, 'self-signed'],
    ['nobody, though an authority is named', 'self-signed', { ca: authority }, 'self-signed'],
    ['the authority for another host', 'other-host', { ca: authority }, 'for another host'],
    ['the authority, but long ago', 'expired', { ca: authority }, 'has expired'],
  ])('is refused when it is signed by %s', async (_, name, tls, detail) => {
    const { url, requests } = await serve(name);
    const result = await call(url, tls);
    expect(result).toMatchObject({ kind: 'failure', cause: 'tls', bytesMayHaveLeft: false });
    expect(result).toMatchObject({ detail: expect.stringContaining(detail) as string });
    expect(requests()).toBe(0);
  });

  it('is refused also where NODE_TLS_REJECT_UNAUTHORIZED=0', async () => {
    const { url, port } = await serve('self-signed');
    // jest gives tests a copy of the environment; Node itself reads the real one.
    const { env } = runInThisContext('process') as NodeJS.Process;
    env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      const careless = connect({ port, host: '127.0.0.1' });
      await new Promise((resolve, reject) => careless.once('secureConnect', resolve).once('error', reject));
      careless.destroy();
      expect(await call(url)).toMatchObject({ cause: 'tls', bytesMayHaveLeft: false });
    } finally {
      delete env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
  });
});

describe('a server that speaks', () => {
  it('no TLS at all is a tls failure', async () => {
    const server = await startRawServer(({ socket }) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    servers.push(server);
    const result = await call(server.url.replace('http:', 'https:'));
    expect(result).toMatchObject({ cause: 'tls', bytesMayHaveLeft: false });
    expect(result).toMatchObject({ detail: expect.stringContaining('does not speak TLS') as string });
  });

  it.each(['TLSv1', 'TLSv1.1'] as const)('nothing newer than %s is refused', async (maxVersion) => {
    const ciphers = 'DEFAULT@SECLEVEL=0';
    const { url, requests } = await serve('server', { minVersion: 'TLSv1', maxVersion, ciphers });
    const result = await call(url, { ca: authority });
    expect(result).toMatchObject({ cause: 'tls', bytesMayHaveLeft: false });
    expect(result).toMatchObject({ detail: expect.stringContaining('no TLS 1.2 or newer') as string });
    expect(requests()).toBe(0);
  });

  it('TLS 1.2 is accepted', async () => {
    const { url } = await serve('server', { maxVersion: 'TLSv1.2' });
    expect(await call(url, { ca: authority })).toMatchObject({ kind: 'answer' });
  });
});

describe('a client certificate', () => {
  const demanding: TlsOptions = { requestCert: true, rejectUnauthorized: true, ca: authority };

  it('is presented, with a plain and with an encrypted key', async () => {
    const { url } = await serve('server', demanding);
    expect(await call(url, { ...clientIdentity, ca: authority })).toMatchObject({ body: '"TEST client"' });
    const encrypted = { ...clientIdentity, key: fixture('TEST-client-encrypted.key.pem'), passphrase: PASSPHRASE };
    expect(await call(url, { ...encrypted, ca: authority })).toMatchObject({ body: '"TEST client"' });
  });

  it('is never lent to a call without one: the server refuses that call', async () => {
    const { url, requests } = await serve('server', demanding);
    expect(await call(url, { ...clientIdentity, ca: authority })).toMatchObject({ kind: 'answer' });
    // TLS 1.3 ends the handshake on our side before the server has judged, so the request had begun to leave.
    const without = await call(url, { ca: authority });
    expect(without).toMatchObject({ cause: 'tls', bytesMayHaveLeft: true });
    expect(requests()).toBe(1);
  });

  it('that is missing is refused within the handshake of TLS 1.2, before anything has left', async () => {
    const { url } = await serve('server', { ...demanding, maxVersion: 'TLSv1.2' });
    expect(await call(url, { ca: authority })).toMatchObject({ cause: 'tls', bytesMayHaveLeft: false });
  });

  it.each<[string, ClientTls]>([
    ['a wrong passphrase', { ...clientIdentity, key: fixture('TEST-client-encrypted.key.pem'), passphrase: 'hidden' }],
    ['no passphrase for an encrypted key', { ...clientIdentity, key: fixture('TEST-client-encrypted.key.pem') }],
    ['the key of another certificate', { ...clientIdentity, key: fixture('TEST-server.key.pem') }],
    ['text that is no certificate', { certificate: 'hidden', key: 'hidden' }],
    ['an authority that is no certificate', { ca: '-----BEGIN CERTIFICATE-----\nhidden\n-----END CERTIFICATE-----' }],
  ])('with %s is a tls failure that says nothing of its content', async (_, tls) => {
    const { url, requests } = await serve('server', demanding);
    const result = await call(url, { ca: authority, ...tls });
    expect(result).toMatchObject({ kind: 'failure', cause: 'tls', bytesMayHaveLeft: false });
    expect(JSON.stringify(result)).not.toContain('hidden');
    expect(requests()).toBe(0);
  });
});

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AmlyzeToken } from '../../src/amlyze/amlyze-token';
import { AmlyzeClient, type AmlyzeSettings } from '../../src/amlyze/amlyze.client';
import { judgeBatch, judgeSingle } from '../../src/amlyze/verdict';
import { HttpClient } from '../../src/shared/http-client';
import { record } from '../fixtures/amlyze/answers';

interface Call {
  method: string | undefined;
  path: string | undefined;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Answers every call with `reply` and keeps what it was sent. Without a reply it stays silent. */
class Listener {
  readonly calls: Call[] = [];
  reply: { status: number; body: string } | undefined = { status: 200, body: '{"resultType":"REQUEST_ACCEPTED"}' };
  private readonly server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.calls.push({
        method: request.method,
        path: request.url,
        headers: request.headers,
        body: Buffer.concat(chunks),
      });
      if (this.reply)
        response.writeHead(this.reply.status, { 'content-type': 'application/json' }).end(this.reply.body);
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  get last(): Call {
    const call = this.calls.at(-1);
    if (!call) throw new Error('nobody called');
    return call;
  }
}

describe('the client of AMLYZE', () => {
  let amlyze: Listener;
  let http: HttpClient;
  let folder: string;
  let settings: AmlyzeSettings;

  beforeEach(async () => {
    amlyze = new Listener();
    http = new HttpClient({ allowPrivateAddresses: true });
    folder = mkdtempSync(join(tmpdir(), 'amlyze-client-'));
    settings = {
      amlyzeBaseUrl: await amlyze.start(),
      amlyzeToken: 'example-token',
      amlyzeTimeoutMs: 5_000,
      amlyzeBatchEndpoint: { method: 'POST', path: '/amlyze-ws-rest/batch-account-balances' },
      amlyzeSingleEndpoint: { method: 'PUT', path: '/amlyze-ws-rest/account-balance' },
      amlyzeOperationEndpoint: { method: 'POST', path: '/amlyze-ws-rest/operation' },
      amlyzeBatchOperationsEndpoint: { method: 'POST', path: '/amlyze-ws-rest/batch-operations' },
      amlyzeValidateOperationsEndpoint: { method: 'POST', path: '/amlyze-ws-rest/validate-batch-operations' },
    };
  });
  afterEach(async () => {
    await http.close();
    await amlyze.stop();
    rmSync(folder, { recursive: true });
  });

  test('joins frozen records into a batch without touching a byte', async () => {
    const payloads = [
      '{"communicationNumber":"obg-1",  "value":100.00,"requester":"Bänk 💶"}',
      '{"value":12345678901234567890.1234567890}',
    ];
    await new AmlyzeClient(http, settings).sendBatch(payloads);

    const { method, path, headers, body } = amlyze.last;
    expect([method, path]).toEqual(['POST', '/amlyze-ws-rest/batch-account-balances']);
    expect(body.equals(Buffer.from(`{"accountBalances":[${payloads.join(',')}]}`, 'utf8'))).toBe(true);
    expect(headers).toMatchObject({
      authorization: 'Bearer example-token',
      'content-type': 'application/json',
      accept: 'application/json',
      'content-length': `${body.length}`,
    });
  });

  test('sends a single record by PUT, byte for byte', async () => {
    await new AmlyzeClient(http, settings).sendSingle('{ "value": -0.10 }');
    const { method, path, body } = amlyze.last;
    expect([method, path, body.toString()]).toEqual(['PUT', '/amlyze-ws-rest/account-balance', '{ "value": -0.10 }']);
  });

  test('sends operations one by one, as a batch and to the dry run, byte for byte', async () => {
    const client = new AmlyzeClient(http, settings);
    const payloads = ['{"amount": 10.50}', '{"amount":12345678901234567890.10}'];
    await client.sendOperation('{"amount": 10.50}');
    await client.sendOperationBatch(payloads);
    await client.validateOperationBatch(payloads);
    const batch = '{"operations":[{"amount": 10.50},{"amount":12345678901234567890.10}]}';
    expect(amlyze.calls.map(({ method, path, body }) => [method, path, body.toString()])).toEqual([
      ['POST', '/amlyze-ws-rest/operation', '{"amount": 10.50}'],
      ['POST', '/amlyze-ws-rest/batch-operations', batch],
      ['POST', '/amlyze-ws-rest/validate-batch-operations', batch],
    ]);
    await expect(client.sendOperationBatch([])).rejects.toThrow(RangeError);
  });

  test('takes methods, paths, a base path and the tenant header from the configuration, and sends no tenant header without one', async () => {
    await new AmlyzeClient(http, settings).sendSingle('{}');
    expect(Object.keys(amlyze.last.headers).filter((name) => name.startsWith('x-'))).toEqual([]);

    const configured = new AmlyzeClient(http, {
      ...settings,
      amlyzeBaseUrl: `${settings.amlyzeBaseUrl}/client-a/`,
      amlyzeTenantHeader: { name: 'X-Tenant', value: 'unit 7' },
      amlyzeBatchEndpoint: { method: 'PUT', path: '/v2/batch' },
    });
    await configured.sendBatch(['{}']);
    expect([amlyze.last.method, amlyze.last.path]).toEqual(['PUT', '/client-a/v2/batch']);
    expect(amlyze.last.headers['x-tenant']).toBe('unit 7');
  });

  test('hands over no answer that has the token in it, in whatever spelling of JSON and of whatever length', async () => {
    const token = `t0ken/+${'0123456789abcdef'.repeat(30)}`;
    const client = new AmlyzeClient(http, { ...settings, amlyzeToken: token });
    const spellings = [token, token.replace('/', '\\/'), token.replace('/', '\\u002F').replace('+', '\\u002b')];
    for (const spelling of spellings) {
      amlyze.reply = { status: 401, body: `{"errorCode":"401","errorDescription":"invalid token ${spelling}"}` };
      const result = await client.sendBatch(['{}']);
      expect(result).toMatchObject({ body: '{"errorCode":"401","errorDescription":"invalid token [secret]"}' });
      expect(judgeBatch(result, [record(1)], new Date())).toEqual({
        kind: 'configuration',
        detail: 'status 401: 401 invalid token [secret]',
      });
    }
  });

  test('leaves what the records themselves say as it is in the answer, also where it looks like the token', async () => {
    const client = new AmlyzeClient(http, { ...settings, amlyzeToken: 'obg-1' });
    amlyze.reply = {
      status: 200,
      body: '{"results":[{"communicationNumber":"obg-1","accountExtId":"ext-1","resultType":"REQUEST_ACCEPTED"}]}',
    };
    const result = await client.sendBatch(['{"communicationNumber":"obg-1"}']);
    expect(judgeBatch(result, [record(1)], new Date())).toMatchObject({ records: [{ verdict: 'accepted' }] });
  });

  test('refuses to send a batch of nothing', async () => {
    await expect(new AmlyzeClient(http, settings).sendBatch([])).rejects.toThrow(RangeError);
    expect(amlyze.calls).toHaveLength(0);
  });

  test('uses a rotated token file after a second, or at once after a 401, and never repeats a call by itself', async () => {
    const path = join(folder, 'token');
    writeFileSync(path, 'token-a\n');
    let nowMs = 0;
    const source = { amlyzeTokenFile: path };
    const client = new AmlyzeClient(http, settings, new AmlyzeToken(source, () => nowMs));
    const send = async (): Promise<string | undefined> => (
      await client.sendSingle('{}'),
      amlyze.last.headers.authorization
    );

    expect(await send()).toBe('Bearer token-a');
    writeFileSync(`${path}.new`, 'token-b\n');
    renameSync(`${path}.new`, path);
    expect(await send()).toBe('Bearer token-a');
    nowMs += 1_000;
    expect(await send()).toBe('Bearer token-b');

    const hash = client.configurationHash();
    writeFileSync(path, 'token-c\n');
    amlyze.reply = { status: 401, body: '{"error":{"code":"unauthorized"}}' };
    expect(await send()).toBe('Bearer token-b');
    expect(client.configurationHash()).not.toBe(hash);
    expect(await send()).toBe('Bearer token-c');
    expect(amlyze.calls).toHaveLength(5);
  });

  test('calls nobody without a token: that is a fault of configuration, and no record is in doubt for it', async () => {
    const { amlyzeToken: _unused, ...rest } = settings;
    const client = new AmlyzeClient(http, { ...rest, amlyzeTokenFile: join(folder, 'nowhere') });
    const result = await client.sendBatch(['{}']);
    expect(result).toMatchObject({ kind: 'failure', bytesMayHaveLeft: false });
    expect(judgeBatch(result, [record(1)], new Date())).toEqual({
      kind: 'configuration',
      detail: 'invalid-request: the file AMLYZE_TOKEN_FILE names cannot be read (ENOENT)',
    });
    expect(amlyze.calls).toHaveLength(0);
  });

  test('gives a silent AMLYZE up after its time-out, with the record in doubt', async () => {
    amlyze.reply = undefined;
    const result = await new AmlyzeClient(http, { ...settings, amlyzeTimeoutMs: 200 }).sendSingle('{}');
    expect(result).toMatchObject({ kind: 'failure', cause: 'deadline', bytesMayHaveLeft: true });
    expect(judgeSingle(result, record(1), new Date())).toMatchObject({ kind: 'endpoint-failed', doubt: true });
  });

  test('finds nobody at a closed port, without doubt', async () => {
    await amlyze.stop();
    const result = await new AmlyzeClient(http, settings).sendSingle('{}');
    await amlyze.start();
    expect(judgeSingle(result, record(1), new Date())).toMatchObject({ kind: 'endpoint-failed', doubt: false });
  });

  test('changes its configuration hash with everything that a refusal can be about, and with nothing else', () => {
    const hash = (change: Partial<AmlyzeSettings>): string =>
      new AmlyzeClient(http, { ...settings, ...change }).configurationHash();
    const unchanged = hash({});
    expect(unchanged).toMatch(/^[0-9a-f]{64}$/);
    expect(hash({ amlyzeTimeoutMs: 1 })).toBe(unchanged);
    expect(hash({ amlyzeBaseUrl: `${settings.amlyzeBaseUrl}/` })).toBe(unchanged);
    const changed = [
      hash({ amlyzeBaseUrl: 'https://amlyze.example' }),
      hash({ amlyzeToken: 'another-token' }),
      hash({ amlyzeBusinessUnit: 'LT' }),
      hash({ amlyzeTenantHeader: { name: 'X-Tenant', value: 'a' } }),
      hash({ amlyzeTenantHeader: { name: 'X-Tenant', value: 'b' } }),
      hash({ amlyzeBatchEndpoint: { method: 'PUT', path: settings.amlyzeBatchEndpoint.path } }),
      hash({ amlyzeSingleEndpoint: { method: 'PUT', path: '/v2' } }),
      hash({ amlyzeOperationEndpoint: { method: 'POST', path: '/v2' } }),
      hash({ amlyzeBatchOperationsEndpoint: { method: 'POST', path: '/v2' } }),
      hash({ amlyzeValidateOperationsEndpoint: { method: 'POST', path: '/v2' } }),
    ];
    expect(new Set([unchanged, ...changed]).size).toBe(changed.length + 1);
  });
});

import type { LookupAddress } from 'node:dns';
import { connect, type AddressInfo, createServer, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { Test } from '@nestjs/testing';
import { ConfigModule } from '../../src/config/config.module';
import { Environment } from '../../src/config/environment';
import { HttpModule } from '../../src/shared/http.module';
import { HttpClient, type CallEvent, type HttpClientOptions, type OutgoingRequest } from '../../src/shared/http-client';
import { httpAnswer, listen, startRawServer, type MisbehavingServer } from '../support/misbehaving-server';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function newClient(options: Partial<HttpClientOptions> = {}): HttpClient {
  const client = new HttpClient({ allowPrivateAddresses: true, ...options });
  closers.push(() => client.close());
  return client;
}

async function serve(...start: Parameters<typeof startRawServer>): Promise<MisbehavingServer> {
  const server = await startRawServer(...start);
  closers.push(() => server.close());
  return server;
}

function get(url: string, changes: Partial<OutgoingRequest> = {}): OutgoingRequest {
  return { method: 'GET', url, headers: {}, deadlineMs: 5_000, ...changes };
}

const loopback: LookupAddress[] = [{ address: '127.0.0.1', family: 4 }];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a connection that does not come up', () => {
  it('is refused, and nothing has left', async () => {
    const url = `http://127.0.0.1:${await freePort()}/path?token=hidden`;
    const result = await newClient().send(get(url, { headers: { authorization: 'hidden' } }));
    expect(result).toMatchObject({ kind: 'failure', cause: 'refused', bytesMayHaveLeft: false });
    expect(JSON.stringify(result)).not.toMatch(/hidden|path/);
  });

  it('times out, and nothing has left, where the server never accepts', async () => {
    // A listener whose thread is blocked: once its backlog is full, the kernel ignores further connections.
    const worker = new Worker(
      `const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
         require('node:worker_threads').parentPort.postMessage(server.address().port);
         Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
       });`,
      { eval: true },
    );
    closers.push(() => worker.terminate());
    const port = await new Promise<number>((resolve) => worker.once('message', resolve));
    const fillers = Array.from({ length: 4 }, (): Socket => connect(port, '127.0.0.1').on('error', () => undefined));
    closers.push(async () => fillers.forEach((filler) => filler.destroy()));
    await new Promise((resolve) => fillers[0]?.once('connect', resolve));

    const client = newClient({ connectTimeoutMs: 500 });
    const url = `http://127.0.0.1:${port}/`;
    expect(await client.send(get(url))).toMatchObject({ cause: 'connect-timeout', bytesMayHaveLeft: false });
    expect(await client.send(get(url, { deadlineMs: 200 }))).toMatchObject({
      cause: 'deadline',
      bytesMayHaveLeft: false,
    });
  });

  it('times out, and nothing has left, where TLS is never answered', async () => {
    const server = await listen(undefined, () => undefined);
    closers.push(() => server.close());
    const url = server.url.replace('http:', 'https:');
    const result = await newClient({ connectTimeoutMs: 500 }).send(get(url));
    expect(result).toMatchObject({ cause: 'connect-timeout', bytesMayHaveLeft: false });
  });

  it('is lost, and nothing has left, where the handshake is reset', async () => {
    const server = await listen(undefined, (socket) => socket.once('data', () => socket.resetAndDestroy()));
    closers.push(() => server.close());
    const result = await newClient().send(get(server.url.replace('http:', 'https:')));
    expect(result).toMatchObject({ cause: 'connection-lost', bytesMayHaveLeft: false });
  });

  it('ends at the deadline while the name is resolved, and the request is not sent later', async () => {
    const requests: string[] = [];
    const server = await serve(({ socket, request }) => {
      requests.push(request);
      socket.write(httpAnswer('{}'));
    });
    const waiting: (() => void)[] = [];
    const client = newClient({ resolve: (_, callback) => waiting.push(() => callback(null, loopback)) });
    const url = `http://bank.example:${server.port}/`;
    const first = await client.send(get(url, { headers: { 'x-call': 'first' }, deadlineMs: 100 }));
    expect(first).toMatchObject({ cause: 'deadline', bytesMayHaveLeft: false });

    waiting.splice(0).forEach((answer) => answer());
    const second = client.send(get(url, { headers: { 'x-call': 'second' } }));
    waiting.splice(0).forEach((answer) => answer());
    expect(await second).toMatchObject({ kind: 'answer' });
    expect(requests).toHaveLength(1);
    expect(requests[0]).toContain('x-call: second');
  });
});

describe('a connection that is lost after the request', () => {
  it('leaves doubt, and the request was not repeated, whether it is reset or closed', async () => {
    for (const end of [(socket: Socket) => socket.resetAndDestroy(), (socket: Socket) => socket.destroy()]) {
      let requests = 0;
      const server = await serve(({ socket, number }) => {
        requests = number;
        end(socket);
      });
      for (const method of ['GET', 'POST'] as const) {
        const result = await newClient().send(get(server.url, { method }));
        expect(result).toMatchObject({ cause: 'connection-lost', bytesMayHaveLeft: true });
      }
      expect(requests).toBe(2);
    }
  });

  it('leaves doubt where the server closes a kept connection just as the next request is sent', async () => {
    const server = await serve(({ socket, number }) => {
      if (number === 1) socket.write(httpAnswer('{}'));
      else socket.destroy();
    });
    const client = newClient();
    expect(await client.send(get(server.url))).toMatchObject({ kind: 'answer' });
    expect(await client.send(get(server.url))).toMatchObject({ cause: 'connection-lost', bytesMayHaveLeft: true });
  });

  it('leaves doubt where the client itself is closed in the middle', async () => {
    const client = newClient();
    const server = await serve(() => void client.close());
    expect(await client.send(get(server.url))).toMatchObject({ cause: 'connection-lost', bytesMayHaveLeft: true });
  });
});

describe('what is sent', () => {
  it('has the very bytes of the body and the headers of the caller, and of ours only what is listed here', async () => {
    let seen = '';
    const server = await serve(({ socket, request }) => {
      seen = request;
      socket.write(httpAnswer('{}'));
    });
    const body = '{"name":"Žaliasis ąžuolas €"}';
    const headers = { 'X-Request-ID': '1', 'Content-Type': 'application/json' };
    await newClient().send({ method: 'PUT', url: `${server.url}/a%20b?c=d&e=%2F`, headers, body, deadlineMs: 5_000 });
    const [head = '', sent = ''] = seen.split('\r\n\r\n');
    const [requestLine, ...lines] = head.split('\r\n');
    expect(requestLine).toBe('PUT /a%20b?c=d&e=%2F HTTP/1.1');
    expect(lines.map((line) => line.toLowerCase()).sort()).toEqual([
      'accept-encoding: identity',
      'connection: keep-alive',
      `content-length: ${Buffer.byteLength(body)}`,
      'content-type: application/json',
      `host: 127.0.0.1:${server.port}`,
      'user-agent: open-banking-gateway',
      'x-request-id: 1',
    ]);
    expect(Buffer.from(sent, 'latin1').toString('utf8')).toBe(body);
  });

  it('has no content type where a POST has no body', async () => {
    let seen = '';
    const server = await serve(({ socket, request }) => {
      seen = request;
      socket.write(httpAnswer('{}'));
    });
    await newClient().send(get(server.url, { method: 'POST' }));
    expect(seen).toMatch(/^POST \/ HTTP/);
    expect(seen.toLowerCase()).toContain('content-length: 0');
    expect(seen.toLowerCase()).not.toContain('content-type');
  });

  it('goes straight to the host whatever the proxy environment says', async () => {
    const proxy = await serve(({ socket }) => socket.write(httpAnswer('"proxy"')));
    const server = await serve(({ socket }) => socket.write(httpAnswer('"server"')));
    const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY', 'all_proxy', 'NODE_USE_ENV_PROXY'];
    for (const name of names) process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : proxy.url;
    closers.push(async () => names.forEach((name) => delete process.env[name]));
    expect(await newClient().send(get(server.url))).toMatchObject({ body: '"server"' });
    expect(proxy.connections()).toBe(0);
  });

  it('goes to the address that was checked: a resolver is asked once for a connection', async () => {
    const server = await serve(({ socket }) => socket.write(httpAnswer('{}')));
    let asked = 0;
    const client = newClient({
      resolve: (_, callback) => callback(null, ++asked === 1 ? loopback : [{ address: '127.0.0.99', family: 4 }]),
    });
    expect(await client.send(get(`http://bank.example:${server.port}/`))).toMatchObject({ kind: 'answer' });
    expect(asked).toBe(1);
  });

  it('never names path, query or headers in the log', async () => {
    const server = await serve(({ socket }) => socket.write(httpAnswer('{"iban":"hidden"}')));
    const events: CallEvent[] = [];
    const client = newClient({ logger: { debug: (event) => events.push(event) } });
    await client.send(get(`${server.url}/hidden?hidden`, { headers: { authorization: 'hidden' } }));
    await client.send(get(`http://hidden:hidden@127.0.0.1:${server.port}/`));
    expect(events).toEqual([
      { method: 'GET', origin: server.url, status: 200, latencyMs: expect.any(Number) as number },
      { method: 'GET', origin: server.url, cause: 'invalid-request', latencyMs: expect.any(Number) as number },
    ]);
  });
});

describe('connections', () => {
  it('are kept: twenty calls one after another need no more than two', async () => {
    const server = await serve(({ socket }) => socket.write(httpAnswer('{}')));
    const client = newClient();
    for (let i = 0; i < 20; i++) expect(await client.send(get(server.url))).toMatchObject({ kind: 'answer' });
    // A connection rests for one turn of the event loop after its answer, so a call at once takes a second one.
    expect(server.connections()).toBeLessThanOrEqual(2);
  });

  it('are limited to 64 for an origin unless said otherwise, and every call gets its own answer', async () => {
    const server = await serve(({ socket, request }) => {
      const asked = /x-call: (\d+)/.exec(request)?.[1] ?? '';
      setImmediate(() => socket.write(httpAnswer(asked)));
    });
    const client = newClient();
    const calls = Array.from({ length: 300 }, (_, i) =>
      client.send(get(server.url, { headers: { 'x-call': String(i) } })),
    );
    const bodies = (await Promise.all(calls)).map((result) => (result.kind === 'answer' ? result.body : result.detail));
    expect(bodies).toEqual(Array.from({ length: 300 }, (_, i) => String(i)));
    expect(server.connections()).toBeLessThanOrEqual(64);
  });

  it.each([
    ['SYNC_CONCURRENCY calls to a bank', 512, { syncConcurrency: 512, amlyzeConcurrency: 4 }],
    ['AMLYZE_CONCURRENCY calls of each of three lanes', 192, { syncConcurrency: 1, amlyzeConcurrency: 64 }],
  ])('carry %s at once: none waits for another to end', async (_, calls, sizes) => {
    const open: Socket[] = [];
    const server = await serve(({ socket }) => {
      open.push(socket);
      if (open.length === calls) open.forEach((each) => each.write(httpAnswer('{}')));
    });
    const module = await Test.createTestingModule({ imports: [ConfigModule, HttpModule] })
      .overrideProvider(Environment)
      .useValue({ allowPrivateAddresses: true, logLevel: 'info', ...sizes })
      .compile();
    closers.push(() => module.close());
    const client = module.get(HttpClient);
    const results = await Promise.all(Array.from({ length: calls }, () => client.send(get(server.url))));
    expect(results.filter(({ kind }) => kind === 'failure')).toEqual([]);
  });
});

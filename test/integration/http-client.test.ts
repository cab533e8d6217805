import { gzipSync, brotliCompressSync, deflateRawSync, deflateSync } from 'node:zlib';
import { HttpClient, readJson, type Answer, type CallEvent, type CallFailure } from '../../src/shared/http-client';
import { httpAnswer, pour, startRawServer, type MisbehavingServer, type Talk } from '../support/misbehaving-server';

const events: CallEvent[] = [];
const client = new HttpClient({ allowPrivateAddresses: true, logger: { debug: (event) => events.push(event) } });
const servers: MisbehavingServer[] = [];

afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));
afterAll(() => client.close());

async function serve(answer: (talk: Talk) => void): Promise<MisbehavingServer> {
  const server = await startRawServer(answer);
  servers.push(server);
  return server;
}

/** Starts a server that answers so, and calls it once. */
async function call(
  answer: (talk: Talk) => void,
  limits: { deadlineMs?: number; maxResponseBytes?: number } = {},
): Promise<Answer | CallFailure> {
  const { url } = await serve(answer);
  return client.send({ method: 'GET', url: `${url}/balances`, headers: {}, deadlineMs: 10_000, ...limits });
}

const MIB = 1024 * 1024;

/** How far memory rose above its level at the start while the work ran, in MiB. */
async function memoryRise(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage.rss();
  let highest = before;
  const sampler = setInterval(() => (highest = Math.max(highest, process.memoryUsage.rss())), 5);
  await work();
  clearInterval(sampler);
  return (Math.max(highest, process.memoryUsage.rss()) - before) / MIB;
}

// The first call of a process compiles the client, which on a busy machine takes longer than the shortest deadline here.
beforeAll(async () => {
  const answer = await call(({ socket }) => socket.end(httpAnswer('{}')));
  if (answer.kind !== 'answer') throw new Error(`the first call failed: ${answer.cause}`);
});

describe('an answer that never ends', () => {
  it('ends at the deadline where the body drips', async () => {
    const result = await call(
      ({ socket }) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n');
        const drip = setInterval(() => socket.write(' '), 20);
        socket.on('close', () => clearInterval(drip));
      },
      { deadlineMs: 300 },
    );
    expect(result).toMatchObject({ kind: 'failure', cause: 'deadline', bytesMayHaveLeft: true, status: 200 });
    expect(result.latencyMs).toBeLessThan(1_000);
  });

  it('ends at the deadline where nothing or only 1xx comes, and the connection is closed', async () => {
    const closed: Promise<void>[] = [];
    const silent = ({ socket }: Talk): void => void closed.push(new Promise((end) => socket.on('close', () => end())));
    const hinting = (talk: Talk): void => {
      silent(talk);
      const hint = setInterval(() => talk.socket.write('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'), 10);
      talk.socket.on('close', () => clearInterval(hint));
    };
    for (const answer of [silent, hinting]) {
      const result = await call(answer, { deadlineMs: 200 });
      expect(result).toMatchObject({ cause: 'deadline', bytesMayHaveLeft: true });
      expect(result.status).toBeUndefined();
    }
    await Promise.all(closed);
  });

  it('ends at the size limit, whether 1 GiB is announced, chunked or just poured out', async () => {
    const piece = Buffer.alloc(64 * 1024, 'a');
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), piece, Buffer.from('\r\n')]);
    for (const [head, body] of [
      [`Content-Length: ${1024 * MIB}`, piece],
      ['Transfer-Encoding: chunked', chunk],
      ['Connection: close', piece],
    ] as const) {
      const rise = await memoryRise(async () => {
        const result = await call(({ socket }) => {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${head}\r\n\r\n`);
          pour(socket, body, 16 * 1024);
        });
        expect(result).toMatchObject({ cause: 'response-too-large', bytesMayHaveLeft: true, status: 200 });
        expect(result.latencyMs).toBeLessThan(3_000);
      });
      expect(rise).toBeLessThan(100);
    }
  });

  it('ends at the head where that announces too much', async () => {
    const result = await call(({ socket }) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n'));
    expect(result).toMatchObject({ cause: 'response-too-large', status: 200 });
  });

  it('ends at the size limit for a gzip bomb of 1 GiB', async () => {
    // Gzip members may follow each other: a thousand times one MiB of 'a'.
    const bomb = Buffer.concat(Array<Buffer>(1024).fill(gzipSync(Buffer.alloc(MIB, 'a'))));
    const rise = await memoryRise(async () => {
      const result = await call(({ socket }) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`);
        socket.write(bomb);
      });
      expect(result).toMatchObject({ cause: 'response-too-large', status: 200 });
      expect(result.latencyMs).toBeLessThan(3_000);
    });
    expect(rise).toBeLessThan(100);
  });

  it('ends at the header limit', async () => {
    const result = await call(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      pour(socket, Buffer.from(`x-${'a'.repeat(100)}: b\r\n`), 10_000);
    });
    expect(result).toMatchObject({ cause: 'response-too-large', bytesMayHaveLeft: true });
  });

  it('is still read whole at exactly the limit, and refused one byte beyond', async () => {
    const answer = ({ socket }: Talk): void => void socket.write(httpAnswer('"12345678"'));
    expect(await call(answer, { maxResponseBytes: 10 })).toMatchObject({ kind: 'answer', body: '"12345678"' });
    expect(await call(answer, { maxResponseBytes: 9 })).toMatchObject({ cause: 'response-too-large' });
    const packed = gzipSync('"12345678"'.padEnd(1000));
    const gzipped = ({ socket }: Talk): void => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n`);
      socket.write(packed);
    };
    expect(await call(gzipped, { maxResponseBytes: 1000 })).toMatchObject({ kind: 'answer' });
    expect(await call(gzipped, { maxResponseBytes: 999 })).toMatchObject({ cause: 'response-too-large' });
  });
});

describe('an answer that is not what it seems', () => {
  it.each(['text/html', 'application/json'])(
    'is no JSON where it is HTML with status 200 labelled %s',
    async (type) => {
      const html = '<!doctype html><p>Please sign in</p>';
      const result = await call(({ socket }) => socket.write(httpAnswer(html, [`Content-Type: ${type}`])));
      expect(result).toMatchObject({ kind: 'answer', status: 200, contentType: type, body: html });
      const reading = result.kind === 'answer' ? readJson(result) : undefined;
      expect(reading).toEqual({ ok: false, problem: expect.stringContaining('HTML') as string });
    },
  );

  it('is returned, not followed, where it redirects to loopback', async () => {
    const inner = await serve(({ socket }) => socket.write(httpAnswer('{}')));
    for (const status of [301, 302, 303, 307, 308]) {
      const head = `HTTP/1.1 ${status} Moved\r\nLocation: ${inner.url}/secret\r\nContent-Length: 0\r\n\r\n`;
      const result = await call(({ socket }) => socket.write(head));
      expect(result).toMatchObject({ kind: 'answer', status, headers: { location: `${inner.url}/secret` } });
    }
    expect(inner.connections()).toBe(0);
  });

  it.each<[string, string]>([
    ['Content-Length: 100\r\n', '{"half":'],
    ['Transfer-Encoding: chunked\r\n', '8\r\n{"half":\r\n'],
    ['Transfer-Encoding: chunked\r\n', '20\r\n{"half":'],
    ['Transfer-Encoding: chunked\r\nConnection: close\r\n', '20\r\n{"half":'],
    ['Content-Encoding: gzip\r\nConnection: close\r\n', gzipSync('{"a":1}').subarray(0, 15).toString('latin1')],
  ])('is refused as truncated with the header %j when the connection ends early', async (head, body) => {
    const result = await call(({ socket }) => socket.end(`HTTP/1.1 200 OK\r\n${head}\r\n${body}`, 'latin1'));
    expect(result).toMatchObject({ cause: 'response-truncated', bytesMayHaveLeft: true, status: 200 });
  });

  it('is refused as truncated when the connection is reset in the middle', async () => {
    const result = await call(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"half":', () => socket.resetAndDestroy());
    });
    expect(result).toMatchObject({ cause: expect.stringMatching(/^(response-truncated|connection-lost)$/) as string });
  });

  it.each<[string, string]>([
    ['invalid UTF-8', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"\xe4"'],
    ['two Content-Types', httpAnswer('{}', ['Content-Type: application/json', 'Content-Type: text/html'])],
    ['twice the same Content-Type', httpAnswer('{}', ['Content-Type: text/html', 'content-type: text/html'])],
    ['an unknown encoding', httpAnswer('{}', ['Content-Encoding: zstd'])],
    ['gzip that is none', httpAnswer('{}', ['Content-Encoding: gzip'])],
    ['gzip named twice', httpAnswer('{}', ['Content-Encoding: gzip', 'Content-Encoding: gzip'])],
    ['a broken chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x'],
    [
      'length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
    ],
  ])('is refused as undecodable for %s', async (_, raw) => {
    const result = await call(({ socket }) => socket.end(raw, 'latin1'));
    expect(result).toMatchObject({ cause: 'response-undecodable', bytesMayHaveLeft: true });
  });

  it.each([
    ['ends too early', 'Content-Length: 100', '{"half":'],
    ['is not decodable', 'Content-Encoding: zstd\r\nContent-Length: 2', '{}'],
    ['has two Content-Types', 'Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 2', '{}'],
  ])('still says how long to wait where its body %s', async (_, head, body) => {
    const result = await call(({ socket }) =>
      socket.end(`HTTP/1.1 429 Too Many Requests\r\nRetry-After: 120\r\n${head}\r\n\r\n${body}`),
    );
    expect(result).toMatchObject({ kind: 'failure', status: 429, retryAfter: '120' });
  });

  it('gives no part of a surplus body to the next call', async () => {
    const forged = httpAnswer('{"amount":"999.00"}');
    const server = await serve(({ socket, number }) => socket.write(httpAnswer(`{"call":${number}}`) + forged));
    const bodies: unknown[] = [];
    for (let i = 0; i < 5; i++) {
      const result = await client.send({ method: 'GET', url: server.url, headers: {}, deadlineMs: 5_000 });
      if (result.kind === 'answer') bodies.push(result.body);
    }
    expect(bodies).toEqual([1, 2, 3, 4, 5].map((number) => `{"call":${number}}`));
  });
});

describe('an answer that is only unusual', () => {
  it.each([
    'Content-Length: 23\r\n\r\n{"amount":"1.10 \u00e4\u20ac"}',
    'Transfer-Encoding: chunked\r\n\r\n17\r\n{"amount":"1.10 \u00e4\u20ac"}\r\n0\r\n\r\n',
  ])('is read whole from TCP segments of one byte: %j', async (rest) => {
    const bytes = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${rest}`);
    const result = await call(({ socket }) => {
      socket.setNoDelay(true);
      let at = 0;
      const next = (): void =>
        void (at < bytes.length && socket.write(bytes.subarray(at, ++at), () => setImmediate(next)));
      next();
    });
    expect(result).toMatchObject({ kind: 'answer', body: '{"amount":"1.10 ä€"}' });
  });

  it.each<[string, (text: string) => Buffer]>([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
    ['Deflate', deflateRawSync],
  ])('is decompressed from %s though we ask for identity', async (encoding, compress) => {
    let asked = '';
    const result = await call(({ socket, request }) => {
      asked = request;
      const packed = compress('{"a":1}');
      socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: ${encoding}\r\nContent-Length: ${packed.length}\r\n\r\n`);
      socket.write(packed);
    });
    expect(asked).toContain('accept-encoding: identity\r\n');
    expect(result).toMatchObject({ kind: 'answer', body: '{"a":1}' });
  });

  it('is an answer whatever its status, with repeated headers joined', async () => {
    const result = await call(({ socket }) =>
      socket.write('HTTP/1.1 503 Busy\r\nX-A: 1\r\nx-a: 2\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n'),
    );
    expect(result).toMatchObject({ kind: 'answer', status: 503, contentType: '', body: '' });
    expect(result).toMatchObject({ headers: { 'x-a': '1, 2', 'retry-after': '5' } });
  });
});

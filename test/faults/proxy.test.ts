import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { eventually } from '../support/eventually';
import { FaultProxy, type WireRule } from './proxy';

/** Answers `echo:` and what it got once a line is complete; `?` in it answers 100,000 bytes. */
function startEcho(): Promise<{ server: Server; url: string; got: string[] }> {
  const got: string[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let text = '';
    socket.on('error', () => undefined);
    socket.on('data', (piece) => {
      text += piece.toString();
      if (!text.endsWith('\n')) return;
      got.push(text);
      socket.write(text.includes('?') ? 'x'.repeat(100_000) : `echo:${text}`);
      text = '';
    });
    socket.on('end', () => socket.end());
  });
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      resolve({ server, got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    }),
  );
}

/** A client that remembers what came, when, and how it ended. */
class Client {
  pieces: Buffer[] = [];
  ended: string | undefined;
  firstByteMs: number | undefined;
  private readonly beganMs = performance.now();

  private constructor(readonly socket: Socket) {
    socket.on('data', (piece: Buffer) => {
      this.firstByteMs ??= performance.now() - this.beganMs;
      this.pieces.push(piece);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => (this.ended ??= error.code));
    socket.on('close', () => (this.ended ??= 'closed'));
  }

  static async open(port: number): Promise<Client> {
    const socket = connect({ port, host: '127.0.0.1' });
    const client = new Client(socket);
    await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
    return client;
  }

  get text(): string {
    return Buffer.concat(this.pieces).toString();
  }

  async until(what: string, check: (client: this) => boolean): Promise<void> {
    await eventually(
      `${what}; it has ${this.text.length} bytes, ${this.ended ?? 'open'}`,
      async () => check(this),
      10_000,
    );
  }
}

describe('the fault proxy', () => {
  let echo: Awaited<ReturnType<typeof startEcho>>;
  let proxy: FaultProxy;
  let clients: Client[];

  beforeEach(async () => {
    echo = await startEcho();
    proxy = await FaultProxy.start(echo.url);
    clients = [];
  });
  afterEach(async () => {
    for (const { socket } of clients) socket.destroy();
    await proxy.close();
    await new Promise((resolve) => echo.server.close(resolve));
  });

  const open = async (...rules: WireRule[]): Promise<Client> => {
    proxy.set(...rules);
    const client = await Client.open(proxy.port);
    clients.push(client);
    return client;
  };
  const say = async (text: string, ...rules: WireRule[]): Promise<Client> => {
    const client = await open(...rules);
    client.socket.write(text);
    return client;
  };

  it('passes everything on where no rule is set, half-closed connections too', async () => {
    const client = await open();
    client.socket.end('hello\n');
    await client.until('the answer and the end came', ({ ended }) => ended !== undefined);
    expect([client.text, client.ended]).toEqual(['echo:hello\n', 'closed']);
  });

  it('delays what passes by latency, on connections that are open already', async () => {
    const client = await say('a\n');
    await client.until('the first answer came', ({ text }) => text === 'echo:a\n');
    proxy.set({ kind: 'latency', ms: 150 });
    const beganMs = performance.now();
    client.socket.write('b\n');
    await client.until('the second answer came', ({ text }) => text.endsWith('echo:b\n'));
    expect(performance.now() - beganMs).toBeGreaterThan(140);
  });

  it('limits the bandwidth', async () => {
    const beganMs = performance.now();
    const client = await say('?\n', { kind: 'bandwidth', bytesPerSecond: 400_000 });
    await client.until('all came', ({ text }) => text.length === 100_000);
    expect(performance.now() - beganMs).toBeGreaterThan(150);
  });

  it('passes the end on late by slow_close', async () => {
    const client = await open({ kind: 'slow_close', ms: 200 });
    client.socket.end('hello\n');
    await client.until('the answer came', ({ text }) => text !== '');
    expect(client.ended).toBeUndefined();
    await client.until('the end came', ({ ended }) => ended === 'closed');
  });

  it('lets nothing pass in a timeout and closes after it; without an end it holds until the rule goes', async () => {
    const closed = await say('a\n', { kind: 'timeout', ms: 100, times: 1 });
    await closed.until('it is closed', ({ ended }) => ended !== undefined);
    expect(closed.text).toBe('');

    const held = await say('b\n', { kind: 'timeout', ms: 0 });
    await eventually('the server has answered', async () => echo.got.includes('b\n'));
    expect([held.text, held.ended]).toEqual(['', undefined]);
    proxy.clear();
    await held.until('what was held came', ({ text }) => text === 'echo:b\n');
  });

  it('resets the client after the server has read the whole request, and no more often than told', async () => {
    const reset = await say('whole request\n', { kind: 'reset_peer', times: 1 });
    await reset.until('it is reset', ({ ended }) => ended !== undefined);
    expect([reset.ended, reset.text, echo.got]).toEqual(['ECONNRESET', '', ['whole request\n']]);

    const next = await Client.open(proxy.port);
    clients.push(next);
    next.socket.write('again\n');
    await next.until('it is answered', ({ text }) => text === 'echo:again\n');
  });

  it('resets in the middle of a request where a time is given', async () => {
    const client = await say('half a requ', { kind: 'reset_peer', afterMs: 50 });
    await client.until('it is reset', ({ ended }) => ended === 'ECONNRESET');
    expect(echo.got).toEqual([]);
  });

  it('cuts what passes into slices', async () => {
    const client = await say('hello\n', { kind: 'slicer', bytes: 1, delayMs: 5 });
    await client.until('all came', ({ text }) => text === 'echo:hello\n');
    expect(client.pieces.length).toBeGreaterThan(5);
  });

  it('closes the connection after so many bytes by limit_data, in the direction that was named', async () => {
    const answer = await say('?\n', { kind: 'limit_data', bytes: 1_234 });
    await answer.until('it is closed', ({ ended }) => ended !== undefined);
    expect(answer.text).toHaveLength(1_234);

    const request = await say('a long request\n', { kind: 'limit_data', bytes: 6, direction: 'up' });
    await request.until('it is closed', ({ ended }) => ended !== undefined);
    expect(echo.got).toEqual(['?\n']);
  });

  it('refuses connections and accepts them again on the same port', async () => {
    const client = await say('a\n');
    await client.until('it is answered', ({ text }) => text !== '');
    const { port } = proxy;
    await proxy.refuse();
    await client.until('the open one is ended', ({ ended }) => ended !== undefined);
    const refused = await open();
    expect(refused.ended).toBe('ECONNREFUSED');
    await proxy.accept();
    expect(proxy.port).toBe(port);
    const again = await say('b\n');
    await again.until('it is answered', ({ text }) => text === 'echo:b\n');
  });
});

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { answerUnread } from './unread-body';

const ANSWER = '{"status":413}';

/** Whether by an end or, with bytes on their way, by a reset. */
const closed = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));

describe('the answer to a body that nobody reads', () => {
  let server: Server;
  afterEach(() => server.close());

  /** A caller who announces more than it ever sends. */
  async function caller(patience: Parameters<typeof answerUnread>[3]): Promise<Socket> {
    server = createServer((request, response) => answerUnread(request, response, ANSWER, patience));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n');
    return socket;
  }

  it('comes at once, and says that the connection ends', async () => {
    const socket = await caller({ timeoutMs: 60_000, maxBytes: 1_000 });
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 OK\r\nConnection: close\r\nContent-Length: 14\r\n/);
    socket.destroy();
  });

  it('ends the connection of a caller who stops sending', async () => {
    const socket = await caller({ timeoutMs: 20, maxBytes: 1_000 });
    socket.resume();
    await closed(socket);
  });

  it('ends the connection of a caller who does not stop sending', async () => {
    const socket = await caller({ timeoutMs: 60_000, maxBytes: 1_000_000 });
    const send = (): void => {
      while (!socket.destroyed && socket.write(Buffer.alloc(65_536)));
    };
    socket.resume().on('drain', send);
    send();
    await closed(socket);
  });
});

import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

export interface MisbehavingServer {
  /** http or https URL without a trailing slash, always on 127.0.0.1. */
  url: string;
  port: number;
  /** Connections opened so far. */
  connections: () => number;
  close(): Promise<void>;
}

export interface Talk {
  socket: Socket;
  /** The first bytes that came, as text: the head of the request and perhaps its body. */
  request: string;
  /** Counts the requests on all connections, from 1. */
  number: number;
}

/** A server on raw sockets, which can break every rule of HTTP. `answer` is called for each piece of request that arrives. */
export async function startRawServer(answer: (talk: Talk) => void, tls?: TlsOptions): Promise<MisbehavingServer> {
  let number = 0;
  return listen(tls, (socket) => {
    socket.on('data', (data: Buffer) => answer({ socket, request: data.toString('latin1'), number: ++number }));
  });
}

/** A server that does something with each connection before any request. */
export async function listen(
  tls: TlsOptions | undefined,
  onConnection: (socket: Socket) => void,
): Promise<MisbehavingServer> {
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined); // the client hangs up on purpose in many of these tests
    socket.on('close', () => sockets.delete(socket));
  };
  let opened = 0;
  const accept = (socket: Socket): void => {
    opened += 1;
    track(socket);
    onConnection(socket);
  };
  const server: Server = tls ? createTlsServer(tls, accept) : createServer(accept);
  // Failed handshakes never reach the callback; their sockets must be closed at the end too.
  if (tls) server.on('connection', track).on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    connections: () => opened,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A whole HTTP/1.1 answer as text. */
export function httpAnswer(body: string, headers: readonly string[] = ['Content-Type: application/json']): string {
  return ['HTTP/1.1 200 OK', ...headers, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
}

/** Writes pieces for as long as the other side takes them, with back-pressure, so that the server itself needs no memory. */
export function pour(socket: Socket, piece: Buffer, times: number): void {
  let left = times;
  const more = (): void => {
    while (left > 0 && !socket.destroyed) {
      left -= 1;
      if (!socket.write(piece)) {
        socket.once('drain', more);
        return;
      }
    }
    socket.end();
  };
  more();
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { AccessLog } from './access-log';
import { Capacity } from './capacity';
import { Control } from './control';
import { FaultEngine } from './fault-engine';
import { SimulatedExchange } from './exchange';
import type { SimulatedClock, Simulator } from './simulator';

/** Beyond this a request is answered 413; control requests may be larger, accounts are registered by the 100,000. */
const MAX_BODY_BYTES = 64 * 2 ** 20;
const MAX_CONTROL_BODY_BYTES = 512 * 2 ** 20;

export interface ServerOptions {
  /** 0 (default): a free one */
  port?: number;
  /** 127.0.0.1 */
  host?: string;
  /** entries that the access log keeps, default 2,000,000; the oldest go first, 16,384 at a time */
  accessLogCapacity?: number;
}

export interface RunningSimulator {
  readonly name: string;
  /** e.g. `http://127.0.0.1:41234`, without a slash at the end */
  readonly url: string;
  readonly port: number;
  /** Stops listening and closes every connection, whatever still goes on. */
  close(): Promise<void>;
}

function headerNames(request: IncomingMessage): string {
  const raw = request.rawHeaders;
  let names = '';
  for (let index = 0; index < raw.length; index += 2) names += (index === 0 ? '' : ',') + (raw[index] ?? '');
  return names.toLowerCase();
}

function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || (request.headers['content-length'] ?? '0') !== '0';
}

/** Hands over the whole body, or undefined where it is larger than allowed. A body cut short is never handed over. */
function readBody(request: IncomingMessage, maxBytes: number, then: (body: Buffer | undefined) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else chunks.length = 0;
  });
  request.on('end', () => then(bytes > maxBytes ? undefined : chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
}

const EMPTY = Buffer.alloc(0);

class SimulatorServer {
  private readonly log: AccessLog;
  private readonly faults = new FaultEngine();
  private readonly capacity = new Capacity();
  private readonly control: Control;
  private readonly statuses = new Map<number, number>();
  readonly server: Server;

  constructor(
    private readonly simulator: Simulator,
    private readonly clock: SimulatedClock,
    options: ServerOptions,
  ) {
    this.log = new AccessLog(options.accessLogCapacity ?? 2_000_000);
    const { log, faults, capacity, statuses } = this;
    this.control = new Control({ simulator, clock, log, faults, capacity, statuses });
    this.server = createServer((request, response) => this.receive(request, response));
    // A client that keeps connections open must not lose one in the moment of its next request.
    this.server.keepAliveTimeout = 600_000;
    this.server.requestTimeout = 0;
    this.server.on('clientError', (_error, socket) => socket.destroy());
  }

  private receive(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    if (path.startsWith('/_sim/')) {
      const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
      readBody(request, MAX_CONTROL_BODY_BYTES, (body) => {
        this.control.answer(response, { method: request.method ?? 'GET', path, query, body });
      });
      return;
    }
    const exchange = this.begin(request, response, path);
    if (!this.faults.idle && this.faults.dropsAtOnce(path) !== undefined) exchange.dropUnread();
    else if (!hasBody(request)) exchange.serve(EMPTY);
    else readBody(request, MAX_BODY_BYTES, (body) => exchange.serve(body));
  }

  private begin(request: IncomingMessage, response: ServerResponse, path: string): SimulatedExchange {
    const { simulator, log, faults, capacity, statuses } = this;
    const method = request.method ?? 'GET';
    const route = simulator.route(path);
    const no = log.begin({
      at: this.clock.now(),
      method,
      path: route.label,
      headerNames: headerNames(request),
      account: route.account,
    });
    return new SimulatedExchange(
      { simulator, log, faults, capacity, statuses },
      { no, method, path, route, headers: request.headers },
      response,
    );
  }
}

export async function listen(
  simulator: Simulator,
  clock: SimulatedClock,
  options: ServerOptions,
): Promise<RunningSimulator> {
  const { server } = new SimulatorServer(simulator, clock, options);
  const host = options.host ?? '127.0.0.1';
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    name: simulator.name,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${String(port)}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

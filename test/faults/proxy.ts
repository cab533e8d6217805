import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Pump } from './proxy/pump';
import { WireRules, type WireRule } from './proxy/rules';

export type { Direction, WireFault, WireRule } from './proxy/rules';

/** Sees the bytes of one connection. `answer` is what was let through to the client. */
export interface ConnectionTap {
  request(piece: Buffer): void;
  answer(piece: Buffer): void;
  /** `reset`: by a rule of this proxy. */
  closed(how: 'closed' | 'reset'): void;
}

/**
 * A TCP proxy in front of one server that can be told at any time what goes wrong on the wire. It knows no protocol, so that it
 * breaks connections at places that no HTTP server would.
 */
export class FaultProxy {
  private readonly rules = new WireRules();
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private portInUse = 0;
  /** Connections that the client's side opened so far. */
  connections = 0;

  private constructor(
    private readonly upstream: { host: string; port: number },
    private readonly tap: (() => ConnectionTap) | undefined,
  ) {}

  /** Listens on 127.0.0.1 and a free port. @param upstream URL of the server behind; its path is not looked at */
  static async start(upstream: string, tap?: () => ConnectionTap): Promise<FaultProxy> {
    const { hostname, port } = new URL(upstream);
    const proxy = new FaultProxy({ host: hostname, port: Number(port) }, tap);
    await proxy.accept();
    return proxy;
  }

  get port(): number {
    return this.portInUse;
  }

  get url(): string {
    return `http://127.0.0.1:${this.portInUse}`;
  }

  /** From now on exactly these rules hold, also on open connections. */
  set(...rules: WireRule[]): void {
    this.rules.set(...rules);
  }

  clear(): void {
    this.rules.set();
  }

  /** Refuses connections and ends the open ones; on the same port again after `accept`. */
  async refuse(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  }

  async accept(): Promise<void> {
    if (this.server) return;
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.join(client));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.portInUse, '127.0.0.1', resolve);
    });
    this.server = server;
    const address = server.address();
    if (typeof address === 'object' && address !== null) this.portInUse = address.port;
  }

  /** Ends every open connection without a word, as a firewall that lost its table does when it answers RST. */
  drop(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.clear();
    await this.refuse();
  }

  private join(client: Socket): void {
    this.connections += 1;
    const server = connect({ ...this.upstream, allowHalfOpen: true, noDelay: true });
    const tap = this.tap?.();
    let how: 'closed' | 'reset' = 'closed';
    const cut = (): void => {
      client.destroy();
      server.destroy();
    };
    const reset = (): void => {
      how = 'reset';
      client.resetAndDestroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => this.sockets.delete(socket));
    }
    client.on('close', () => {
      server.destroy();
      tap?.closed(how);
    });
    // Before the rules: what the client has sent counts as sent, whatever becomes of it here.
    if (tap) client.on('data', (piece: Buffer) => tap.request(piece));
    const shared = { rules: this.rules, cut };
    const up = (): boolean => {
      void this.resetLater(reset);
      return true;
    };
    new Pump({ ...shared, from: client, to: server, direction: 'up', onPass: up });
    const down = (piece: Buffer): boolean => {
      const rule = this.rules.find('reset_peer', 'down');
      if (rule && rule.afterMs === undefined && this.rules.use(rule)) {
        reset();
        return false;
      }
      tap?.answer(piece);
      return true;
    };
    const answers = new Pump({ ...shared, from: server, to: client, direction: 'down', onPass: down });
    // What the server said last may still be held up by a rule.
    server.on('close', () => void answers.done().then(() => client.destroySoon()));
  }

  private async resetLater(reset: () => void): Promise<void> {
    const rule = this.rules.find('reset_peer', 'down');
    if (rule?.afterMs === undefined || !this.rules.use(rule)) return;
    await wait(rule.afterMs);
    reset();
  }
}

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP way to a server that can be cut and mended: what the server's death looks like from the other side. */
export class TcpGate {
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private lostCommitOf: string | undefined;

  private constructor(
    private readonly host: string,
    private readonly targetPort: number,
    private port: number,
  ) {}

  /** The gate in front of the server of `url`, and the URL through it. */
  static async before(url: string): Promise<{ gate: TcpGate; url: string }> {
    const through = new URL(url);
    const gate = new TcpGate(through.hostname, Number(through.port), 0);
    await gate.mend();
    through.hostname = '127.0.0.1';
    through.port = String(gate.port);
    return { gate, url: through.toString() };
  }

  /** Ends every connection; new ones are refused. */
  async cut(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  }

  /** Ends the connection on which `text` is sent once its commit has come back, and keeps the answer: only the server knows of it. */
  loseCommitOf(text: string): void {
    this.lostCommitOf = text;
  }

  async mend(): Promise<void> {
    const server = createServer((near) => {
      const far = connect(this.targetPort, this.host);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.sockets.add(socket);
        socket.on('error', () => undefined);
        socket.once('close', () => {
          this.sockets.delete(socket);
          other.destroy();
        });
      }
      this.watch(near, far);
      near.pipe(far).pipe(near);
    });
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  private watch(near: Socket, far: Socket): void {
    let chosen = false;
    near.on('data', (part: Buffer) => {
      chosen ||= this.lostCommitOf !== undefined && part.includes(this.lostCommitOf);
      if (!chosen || !part.includes('commit\0')) return;
      this.lostCommitOf = undefined;
      far.unpipe(near);
      far.once('data', () => near.destroy()).resume();
    });
  }
}

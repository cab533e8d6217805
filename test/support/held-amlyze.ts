import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from './eventually';

/** An AMLYZE that answers when it is told to. */
export class HeldAmlyze {
  /** Requests without an answer, oldest first, with the operationExtId of each. */
  readonly waiting: { name: string; response: ServerResponse }[] = [];
  received = 0;
  mostAtOnce = 0;
  private readonly server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      this.received += 1;
      this.waiting.push({ name: /"operationExtId":"([^"]+)"/.exec(body)?.[1] ?? '', response });
      this.mostAtOnce = Math.max(this.mostAtOnce, this.waiting.length);
    });
  });

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Answers the oldest request; its operation. */
  answer(body: object = { resultType: 'REQUEST_ACCEPTED' }, status = 200): string {
    const next = this.waiting.shift();
    if (!next) throw new Error('nothing waits for an answer');
    next.response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    return next.name;
  }

  async arrived(count: number): Promise<void> {
    await eventually(`${count} requests wait`, async () => this.waiting.length >= count);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

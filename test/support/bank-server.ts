import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came over the wire. */
export interface SeenRequest {
  method: string;
  url: string;
  /** Names as the client spelled them. */
  headers: Record<string, string>;
  body: Buffer;
}

export interface GivenAnswer {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
}

export interface BankServer {
  url: string;
  requests: SeenRequest[];
  close(): Promise<void>;
}

/** A tiny bank: records every request and answers with what `answer` makes of it; JSON and 200 unless told otherwise. */
export async function startBankServer(
  answer: (request: SeenRequest, number: number) => GivenAnswer | Promise<GivenAnswer>,
): Promise<BankServer> {
  const requests: SeenRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const raw = incoming.rawHeaders;
      const headers = Object.fromEntries(
        raw.flatMap((name, at) => (at % 2 === 0 ? [[name, raw[at + 1] ?? '']] : [])),
      ) as Record<string, string>;
      const seen = { method: incoming.method ?? '', url: incoming.url ?? '', headers, body: Buffer.concat(chunks) };
      requests.push(seen);
      void Promise.resolve(answer(seen, requests.length)).then(({ status = 200, headers: extra = {}, body = '' }) => {
        outgoing.writeHead(status, { 'Content-Type': 'application/json', ...extra });
        outgoing.end(body);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const transport = ['host', 'connection', 'content-length', 'user-agent', 'accept-encoding', 'accept', 'content-type'];

/** Names of the headers that came, without those of HTTP itself. */
export function ownHeaders({ headers }: SeenRequest): string[] {
  return Object.keys(headers)
    .filter((name) => !transport.includes(name.toLowerCase()))
    .sort();
}

/** Starts banks that end with the test they were started in. To be called once, at the top of a test file. */
export function bankServers(): typeof startBankServer {
  const started: BankServer[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((bank) => bank.close()));
  });
  return async (answer) => {
    const bank = await startBankServer(answer);
    started.push(bank);
    return bank;
  };
}

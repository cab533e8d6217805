import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface ReferenceSettings {
  bankUrl: string;
  amlyzeUrl: string;
  /** '' for a reference without one. */
  databaseUrl: string;
}

export interface RoundRequest {
  /** How many accounts to read, in the order of their registration; of operations, how many to send. */
  accounts: number;
  /** What the gateway writes beside the balance itself, so that rows are of one size. */
  sample?: RowSample;
}

/** Texts out of a row of the gateway's; a reference writes them as they are. */
export interface RowSample {
  steps: string | null;
  settingsHash: string;
}

export interface RoundResult {
  balances: number;
  seconds: number;
  cpuUsPerBalance: number;
}

/** Reads what the process was started with. */
export function settings(): ReferenceSettings {
  return JSON.parse(process.argv[2] ?? '') as ReferenceSettings; // written by rig/reference-process.ts
}

/**
 * Answers each POST with the figures of one round. `prepare` comes before the clock starts and gives the round itself,
 * which resolves with the number of balances that are done.
 */
export function serve(prepare: (request: RoundRequest) => Promise<() => Promise<number>>): void {
  const server = createServer((request, response) => {
    void (async () => {
      try {
        const work = await prepare(JSON.parse(await text(request)) as RoundRequest);
        response.end(JSON.stringify(await timed(work)));
      } catch (error) {
        response.statusCode = 500;
        response.end(String(error));
      }
    })();
  });
  server.requestTimeout = 0;
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo; // TCP, so no path
    console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
  });
}

async function timed(work: () => Promise<number>): Promise<RoundResult> {
  const cpuBefore = process.cpuUsage();
  const beganMs = performance.now();
  const balances = await work();
  const seconds = (performance.now() - beganMs) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  return { balances, seconds, cpuUsPerBalance: (cpu.user + cpu.system) / balances };
}

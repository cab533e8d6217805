import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { buildGateway } from '../faults/rig/build';
import { ADMIN_KEY } from './admin-app';
import { eventually } from './eventually';
import type { Json } from './gateway';

/** The built gateway as a process of its own, as operators run it. */
export class GatewayProcess {
  output = '';
  url = '';
  readonly exited: Promise<number | null>;

  private constructor(private readonly process: ChildProcess) {
    for (const stream of [process.stdout, process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    this.exited = new Promise((resolve) => process.once('close', resolve));
  }

  /** On a free port; resolves once it is ready. */
  static async start(variables: NodeJS.ProcessEnv): Promise<GatewayProcess> {
    const { dist, codeCache } = buildGateway('swc');
    const env = {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: codeCache,
      PORT: '0',
      ADMIN_API_KEY: ADMIN_KEY,
      ALLOW_PRIVATE_ADDRESSES: 'true',
      POLL_INTERVAL_MS: '50',
      LEASE_SECONDS: '2',
      SYNC_CRON: '0 0 29 2 *',
      ...variables,
    };
    const child = spawn(process.execPath, [join(dist, 'main.js')], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const gateway = new GatewayProcess(child);
    gateway.url = await eventually('the gateway listens', async () => {
      if (child.exitCode !== null) throw new Error(`the gateway ended: ${gateway.output}`);
      return /"url":"(http:[^"]+)"/.exec(gateway.output)?.[1];
    });
    await eventually('the gateway is ready', async () => (await gateway.status('/health/ready')) === 200);
    return gateway;
  }

  async signal(signal: NodeJS.Signals): Promise<number | null> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill(signal);
    return this.exited;
  }

  /** Status of a GET without the key; 0 where nobody answers. */
  async status(path: string): Promise<number> {
    try {
      return (await fetch(`${this.url}${path}`)).status;
    } catch {
      return 0;
    }
  }

  async ok(method: string, path: string, body?: object): Promise<Json> {
    const headers = { Authorization: `Bearer ${ADMIN_KEY}`, 'Content-Type': 'application/json' };
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }

  async finished(runId: string): Promise<Json> {
    return eventually(`run ${runId} is finished`, async () => {
      const run = await this.ok('GET', `/admin/runs/${runId}`);
      return run.status === 'finished' && run;
    });
  }
}

import { randomBytes } from 'node:crypto';
import { SANDBOX_AMLYZE } from '../../src/simulators/defaults';
import type { Build } from '../../test/faults/rig/build';
import type { Guardian } from '../../test/faults/rig/guardian';
import { RigProcess } from '../../test/faults/rig/rig-process';
import { eventually } from '../../test/support/eventually';
import { cpuUs, peakRssMb } from './process-usage';
import { startRuntime } from '../../test/support/start-runtime';

/** What all replicas on one database share. */
export interface Installation {
  databaseUrl: string;
  adminKey: string;
  encryptionKeys: string;
}

export function newInstallation(databaseUrl: string): Installation {
  const encryptionKeys = `bench:${randomBytes(32).toString('base64')}`;
  return { databaseUrl, adminKey: randomBytes(24).toString('hex'), encryptionKeys };
}

export interface GatewayParts {
  build: Build;
  guardian: Guardian;
  installation: Installation;
  amlyzeUrl: string;
  logFile: string;
  /** Beside or instead of the default environment. */
  env?: Readonly<Record<string, string>>;
}

/** No slot comes by itself. */
const NEVER = '0 0 29 2 *';
const CALL_DEADLINE_MS = 300_000;

/** The built gateway as a process of its own, started as `npm start` does it, with every setting at its default. */
export class BenchGateway {
  private constructor(
    private readonly adminKey: string,
    readonly process: RigProcess,
    readonly url: string,
  ) {}

  /** Starts it and waits until it is ready. */
  static async start(parts: GatewayParts): Promise<BenchGateway> {
    const process = RigProcess.start(
      {
        title: 'the gateway',
        file: `${parts.build.dist}/main.js`,
        nodeArgs: startRuntime().flags,
        env: environmentOf(parts),
        logFile: parts.logFile,
      },
      parts.guardian,
    );
    const [line] = await process.says(/.*"msg":"gateway listens".*/);
    const [, url = ''] = /"url":"(http[^"]+)"/.exec(line) ?? [];
    const gateway = new BenchGateway(parts.installation.adminKey, process, url);
    await gateway.ready();
    return gateway;
  }

  get cpuUs(): number {
    return cpuUs(this.process.pid);
  }

  get peakRssMb(): number {
    return peakRssMb(this.process.pid);
  }

  /** An admin call that has to succeed; its body. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- callers state the shape by looking into it
  async ok(method: string, path: string, body?: object | string): Promise<any> {
    const type = typeof body === 'string' ? 'application/x-ndjson' : 'application/json';
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.adminKey}`, ...(body === undefined ? {} : { 'Content-Type': type }) },
      signal: AbortSignal.timeout(CALL_DEADLINE_MS),
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.status >= 300) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  /** Ends in good order. */
  async stop(): Promise<void> {
    await this.process.terminate();
  }

  private async ready(): Promise<void> {
    await eventually(
      'the gateway is ready',
      async () => {
        if (!this.process.alive) throw new Error(`the gateway ended: ${this.process.lastWords()}`);
        return (await fetch(`${this.url}/health/ready`)).status === 200;
      },
      60_000,
    );
  }
}

function environmentOf({ installation, amlyzeUrl, env }: GatewayParts): Record<string, string> {
  return {
    PATH: '/usr/bin:/bin',
    ...startRuntime().env,
    PORT: '0',
    DATABASE_URL: installation.databaseUrl,
    ADMIN_API_KEY: installation.adminKey,
    ENCRYPTION_KEYS: installation.encryptionKeys,
    AMLYZE_BASE_URL: amlyzeUrl,
    AMLYZE_TOKEN: SANDBOX_AMLYZE.token,
    ALLOW_PRIVATE_ADDRESSES: 'true',
    SYNC_CRON: NEVER,
    ...env,
  };
}

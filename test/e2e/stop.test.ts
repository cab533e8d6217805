import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { SANDBOX_AMLYZE } from '../../src/simulators';
import { buildGateway } from '../faults/rig/build';
import { ADMIN_KEY } from '../support/admin-app';
import { eventually } from '../support/eventually';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

describe('told to stop, a gateway with nothing under way', () => {
  let testDatabase: TestDatabase;
  let child: ChildProcess | undefined;
  let output = '';

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    output = '';
  });
  afterEach(async () => {
    if (child && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    await testDatabase.drop();
  });

  /** Starts a command line that ends in the gateway; resolves once the gateway listens. */
  async function start(...before: string[]): Promise<ChildProcess> {
    const [command = process.execPath, ...args] = [
      ...before,
      process.execPath,
      join(buildGateway('swc').dist, 'main.js'),
    ];
    const env = {
      PATH: process.env['PATH'],
      PORT: '0',
      DATABASE_URL: testDatabase.url,
      ADMIN_API_KEY: ADMIN_KEY,
      ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      AMLYZE_BASE_URL: 'http://127.0.0.1:9',
      AMLYZE_TOKEN: SANDBOX_AMLYZE.token,
      ALLOW_PRIVATE_ADDRESSES: 'true',
      SYNC_CRON: '0 0 29 2 *',
    };
    const started = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    for (const stream of [started.stdout, started.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    await eventually('the gateway listens', async () => {
      if (started.exitCode !== null) throw new Error(`the gateway ended: ${output}`);
      return output.includes('gateway listens');
    });
    return started;
  }

  it.each(['SIGTERM', 'SIGINT'] as const)('by %s ends within two seconds, and by that very signal', async (signal) => {
    const gateway = await start();
    const startedAt = performance.now();
    gateway.kill(signal);
    expect(await once(gateway, 'close')).toEqual([null, signal]);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(output).not.toContain('"level":"error"');
    expect(output).toContain(`"msg":"stopping on ${signal}"`);
  });

  it('by SIGTERM is 143 to a shell, as the run book says', async () => {
    const shell = await start('/bin/sh', '-c', '"$0" "$@" & echo "pid $!"; wait $!; echo "status $?"');
    process.kill(Number(/^pid (\d+)$/m.exec(output)?.[1]), 'SIGTERM');
    await once(shell, 'close');
    expect(/^status (\d+)$/m.exec(output)?.[1]).toBe('143');
  });
});

import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPostmaster, isAlive } from '../../src/database/embedded/postmaster';
import { ADMIN_KEY } from '../support/admin-app';
import { spawnBuiltGateway, type BuiltGateway } from '../support/built-gateway';
import { eventually } from '../support/eventually';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { TcpGate } from '../support/tcp-gate';

describe('told to stop, a gateway with nothing under way', () => {
  let testDatabase: TestDatabase;
  let gateway: BuiltGateway | undefined;

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
  });
  afterEach(async () => {
    const child = gateway?.process;
    if (child?.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    await testDatabase.drop();
  });

  /** Starts a command line that ends in the gateway; resolves once the gateway listens. */
  async function start(...before: string[]): Promise<BuiltGateway['process']> {
    const started = spawnBuiltGateway(testDatabase.url, { before });
    gateway = started;
    await eventually('the gateway listens', async () => {
      if (started.process.exitCode !== null) throw new Error(`the gateway ended: ${output()}`);
      return output().includes('gateway listens');
    });
    return started.process;
  }

  const output = (): string => `${gateway?.printed.stdout}${gateway?.printed.stderr}`;

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'by %s ends within two seconds, and by that very signal',
    async (signal) => {
      const child = await start();
      const startedAt = performance.now();
      child.kill(signal);
      expect(await once(child, 'close')).toEqual([null, signal]);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      expect(output()).not.toContain('"level":"error"');
      expect(output()).toContain(`"msg":"stopping on ${signal}"`);
    },
  );

  it('while it starts ends the Postgres of its own that it has just started', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'stopped-start-'));
    chmodSync(dataDir, 0o711);
    const started = spawnBuiltGateway('', { variables: { DATA_DIR: dataDir } });
    gateway = started;
    const server = (): number => findPostmaster(join(dataDir, 'postgres'))?.pid ?? 0;
    await eventually('its Postgres is there', async () => server() !== 0, 30_000);
    const pid = server();
    started.process.kill('SIGTERM');
    await once(started.process, 'close');
    await eventually('its Postgres has ended', async () => !isAlive(pid));
    expect(output()).toMatch(/stopped by SIGTERM|stopping on SIGTERM/);
    rmSync(dataDir, { recursive: true, force: true });
  }, 60_000);

  it('and without its database tells a refused request by its reason, without a stack', async () => {
    const { gate, url } = await TcpGate.before(testDatabase.url);
    const started = spawnBuiltGateway(url);
    gateway = started;
    const address = await eventually('it listens', async () => /"url":"(http:[^"]+)"/.exec(output())?.[1]);
    await gate.cut();
    const answer = await fetch(`${address}/admin/status`, { headers: { Authorization: `Bearer ${ADMIN_KEY}` } });
    expect(answer.status).toBe(503);
    const lines = (): string[] =>
      output()
        .split('\n')
        .filter((line) => line.includes('"path":"/admin/status"'));
    await eventually('both lines are there', async () => lines().length === 2);
    expect(lines()[0]).toMatch(/"msg":"request failed","correlationId":.+"error":"[^"]+"/);
    expect(lines()[1]).toContain('"res":{"status":503}');
    expect(lines().join()).not.toContain('"stack"');
  });

  it('leaves to the system what says that the process itself is broken', async () => {
    const child = await start();
    const caught = BigInt(
      `0x${/^SigCgt:\s*(\w+)$/m.exec(readFileSync(`/proc/${String(child.pid)}/status`, 'utf8'))?.[1]}`,
    );
    const isCaught = (signal: number): boolean => (caught & (1n << BigInt(signal - 1))) !== 0n;
    const { SIGTERM, SIGILL, SIGABRT, SIGBUS, SIGFPE } = constants.signals;
    expect(isCaught(SIGTERM)).toBe(true);
    expect([SIGILL, SIGABRT, SIGBUS, SIGFPE].filter(isCaught)).toEqual([]);
  });

  it('that meets a fault nobody caught ends with a fatal line in its log, and 1', async () => {
    const throwing = `data:text/javascript,process.on('SIGUSR2',()=>{throw%20new%20Error('nobody%20caught%20this')})`;
    const child = await start('/usr/bin/env', `NODE_OPTIONS=--import=${throwing}`);
    child.kill('SIGUSR2');
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(output()).toMatch(/"level":"fatal".*"message":"nobody caught this"/);
    expect(output()).not.toContain('does not start');
  });

  it('by SIGTERM is 143 to a shell, as the run book says', async () => {
    const shell = await start('/bin/sh', '-c', '"$0" "$@" & echo "pid $!"; wait $!; echo "status $?"');
    process.kill(Number(/^pid (\d+)$/m.exec(output())?.[1]), 'SIGTERM');
    await once(shell, 'close');
    expect(/^status (\d+)$/m.exec(output())?.[1]).toBe('143');
  });
});

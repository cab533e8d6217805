import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { stopLeftoverPostgres } from '../../src/database/embedded-postgres';
import { causeIn } from '../../src/database/embedded/cluster';
import { findPostmaster, isAlive } from '../../src/database/embedded/postmaster';
import { findBlockingFolder } from '../../src/database/embedded/system-user';
import { Child, type ChildOptions } from '../support/child';
import { eventually } from '../support/eventually';

const PROGRAM = join(__dirname, '..', 'support', 'processes', 'embedded-gateway.ts');
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

interface Ready {
  url: string;
  adopted: boolean;
}

describe('embedded Postgres', () => {
  let base: string;
  let dataDir: string;
  let children: Child[];

  const start = (options: ChildOptions = {}, folder = dataDir): Child => {
    const child = Child.start(PROGRAM, [folder], options);
    children.push(child);
    return child;
  };
  const ready = async (child: Child): Promise<Ready> => JSON.parse(await child.line('ready')) as Ready;
  const postmasterPid = (): number => findPostmaster(join(dataDir, 'postgres'))?.pid ?? 0;

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'embedded-'));
    chmodSync(base, 0o755);
    dataDir = join(base, 'data');
    children = [];
  });
  afterEach(async () => {
    const pid = postmasterPid();
    for (const child of children) await child.kill('SIGKILL');
    if (pid > 0 && isAlive(pid)) process.kill(pid, 'SIGQUIT');
    await eventually('the server has ended', async () => !isAlive(pid) || pid === 0);
    rmSync(base, { recursive: true, force: true });
  });

  it('keeps its data over an orderly stop and leaves no process and no readable password behind', async () => {
    const first = start();
    expect((await ready(first)).adopted).toBe(false);
    const pid = postmasterPid();
    expect(await first.kill('SIGTERM')).toBe(0);
    expect(isAlive(pid)).toBe(false);
    const acknowledged = last(first);

    const second = start();
    const { url, adopted } = await ready(second);
    expect(adopted).toBe(false);
    expect(await rows(url)).toBeGreaterThanOrEqual(acknowledged);
    expect(statSync(join(dataDir, 'postgres-password')).mode & 0o777).toBe(0o600);
    expect(statSync(dataDir).mode & 0o777).toBe(isRoot ? 0o711 : 0o700);
    await second.kill('SIGTERM');
  });

  it('does not lower durability, and listens on loopback with a password only', async () => {
    const { url } = await ready(start());
    const settings = await ask<{ name: string; setting: string }>(
      url,
      `select name, setting from pg_settings where name in
        ('fsync', 'full_page_writes', 'synchronous_commit', 'listen_addresses', 'unix_socket_directories') order by name`,
    );
    expect(settings.map(({ name, setting }) => `${name}=${setting}`)).toEqual([
      'fsync=on',
      'full_page_writes=on',
      'listen_addresses=127.0.0.1',
      'synchronous_commit=on',
      'unix_socket_directories=',
    ]);
    const withoutPassword = new URL(url);
    withoutPassword.password = 'wrong';
    await expect(rows(withoutPassword.toString())).rejects.toThrow('password authentication failed');
  });

  it.each([0, 300])('has every committed row when started %i ms after kill -9 under load', async (delayMs) => {
    const first = start();
    await ready(first);
    await first.line('committed', (n) => Number(n) > 200);
    await first.kill('SIGKILL');
    await wait(delayMs);

    const second = start();
    const { url, adopted } = await ready(second);
    expect(adopted).toBe(true);
    expect(await rows(url)).toBeGreaterThanOrEqual(last(first));
    const pid = postmasterPid();
    expect(await second.kill('SIGTERM')).toBe(0);
    expect(isAlive(pid)).toBe(false);
  });

  it.each([0, 300])('recovers when Postgres was killed too, %i ms later', async (delayMs) => {
    const first = start();
    await ready(first);
    await first.line('committed', (n) => Number(n) > 200);
    // Stopped first: on a busy machine it would start its server again between the two kills.
    void first.kill('SIGSTOP');
    process.kill(postmasterPid(), 'SIGKILL');
    await first.kill('SIGKILL');
    await wait(delayMs);

    const { url, adopted } = await ready(start());
    expect(adopted).toBe(false);
    expect(await rows(url)).toBeGreaterThanOrEqual(last(first));
  });

  it('waits for a server that is just ending', async () => {
    const first = start();
    await ready(first);
    const pid = postmasterPid();
    process.kill(pid, 'SIGTERM'); // smart shutdown: no new sessions, ends when the last one goes
    const second = start();
    await wait(200);
    await first.kill('SIGKILL');
    expect((await ready(second)).adopted).toBe(false);
    expect(isAlive(pid)).toBe(false);
  });

  it('starts a crashed server again on the same port while the gateway lives', async () => {
    const gateway = start();
    const { url } = await ready(gateway);
    // Killed before it had committed anything, there would be no row to find, and its session, the only one that makes them, is gone.
    await gateway.line('committed');
    const pid = postmasterPid();
    process.kill(pid, 'SIGKILL');
    await eventually('the rows are back', () =>
      rows(url).then(
        (count) => count > 0,
        () => false,
      ),
    );
    expect(postmasterPid()).not.toBe(pid);
    // Still its owner: the lock was taken again.
    await eventually('it has an owner', () => owned(url));
  });

  it('refuses a second gateway on the same folder and leaves the first one alone', async () => {
    const first = start();
    const { url } = await ready(first);
    const second = start();
    expect(await second.line('problem')).toBe(
      `DATA_DIR: another gateway is running on ${dataDir}; stop it, or give this one another DATA_DIR`,
    );
    expect(await second.exited).toBe(1);
    await expect(stopLeftoverPostgres(dataDir)).rejects.toThrow('another gateway is running');
    const before = await rows(url);
    await eventually('rows are committed', async () => (await rows(url)) > before);
  });

  it('lets exactly one of two gateways have an empty folder that both start on', async () => {
    const both = [start(), start()];
    const outcomes = await Promise.all(
      both.map((child) => Promise.any([child.line('ready').then(() => 'ready'), child.line('problem')])),
    );
    expect(outcomes.filter((outcome) => outcome === 'ready')).toHaveLength(1);
    expect(outcomes.join()).toContain('another gateway is running');
  });

  it('stops what a killed gateway left, so that the folder can be removed', async () => {
    const first = start();
    await ready(first);
    const pid = postmasterPid();
    await first.kill('SIGKILL');
    await stopLeftoverPostgres(dataDir);
    expect(isAlive(pid)).toBe(false);
    await stopLeftoverPostgres(dataDir);
  });

  it('is not misled by a note of a process that now is something else', async () => {
    const first = start();
    await ready(first);
    await first.kill('SIGTERM');
    const note = ['1', join(dataDir, 'postgres'), '0', '5432', '', '127.0.0.1', '', 'ready', ''];
    writeFileSync(join(dataDir, 'postgres', 'postmaster.pid'), note.with(0, String(process.pid)).join('\n'));
    expect((await ready(start())).adopted).toBe(false);
  });

  it('says at once why a damaged cluster does not start, not how it went down after it', async () => {
    const first = start();
    await ready(first);
    await first.kill('SIGTERM');
    const refused = async (cause: RegExp): Promise<void> => {
      const next = start();
      expect(await next.line('problem')).toMatch(cause);
      expect(await next.exited).toBe(1);
    };
    rmSync(join(dataDir, 'postgres', 'pg_wal'), { recursive: true });
    await refused(/^DATA_DIR: its Postgres does not start: .*FATAL: .*pg_wal/);
    writeFileSync(join(dataDir, 'postgres', 'postgresql.conf'), 'no_such_setting = 1\n');
    await refused(/^DATA_DIR: its Postgres does not start: .*no_such_setting/);
  });

  it('refuses a password that is not the database’s, or is empty, and leaves no server behind', async () => {
    const first = start();
    await ready(first);
    await first.kill('SIGTERM');
    const file = join(dataDir, 'postgres-password');
    writeFileSync(file, 'wrong');
    const wrong = start();
    expect(await wrong.line('problem')).toMatch(/^DATA_DIR: the password in postgres-password is not the one/);
    expect(await wrong.exited).toBe(1);
    await eventually('its server has ended', async () => postmasterPid() === 0);
    writeFileSync(file, '');
    const empty = start();
    expect(await empty.line('problem')).toBe(`DATA_DIR: ${file} is empty; put back the password that it held`);
    expect(await empty.exited).toBe(1);
    expect(postmasterPid()).toBe(0);
  });

  it('finds the cause in what Postgres says before and after it', () => {
    const said = [
      'x LOG: y',
      'x PANIC:  could not write "z": No space left on device',
      'Aborted',
      'child ended',
      'removing',
    ];
    expect(causeIn(said.join('\n'))).toBe('x LOG: y x PANIC: could not write "z": No space left on device Aborted');
    const toProbes = Array<string>(3).fill('x FATAL:  the database system is shutting down');
    expect(causeIn(['x FATAL:  no pg_wal', ...toProbes].join('\n'))).toMatch(/^x FATAL: no pg_wal /);
    expect(causeIn('')).toBe('');
  });

  it('says in one line that its log cannot be written', async () => {
    mkdirSync(join(dataDir, 'postgres.log'), { recursive: true });
    const child = start();
    expect(await child.line('problem')).toBe(`DATA_DIR: ${join(dataDir, 'postgres.log')} cannot be written (EISDIR)`);
    expect(await child.exited).toBe(1);
  });

  it('leaves a folder of somebody else alone', async () => {
    const folder = join(dataDir, 'postgres');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'file'), '');
    const child = start();
    expect(await child.line('problem')).toBe(
      `DATA_DIR: ${folder} holds files of something else; move them away, or use another DATA_DIR`,
    );
    expect(await child.exited).toBe(1);
  });

  (isRoot ? it : it.skip)('runs as an unprivileged user for root, who keeps the keys to itself', async () => {
    const child = start();
    await ready(child);
    const status = readFileSync(`/proc/${String(postmasterPid())}/status`, 'utf8');
    expect(status).not.toMatch(/^Uid:\s+0/m);
    expect(statSync(dataDir).uid).toBe(0);
    const environment = readFileSync(`/proc/${String(postmasterPid())}/environ`, 'utf8');
    expect(
      environment
        .split('\0')
        .map((entry) => entry.split('=')[0])
        .filter(Boolean)
        .sort(),
    ).toEqual(['LC_ALL', 'PATH', 'TZ']);
  });

  (isRoot ? it : it.skip)('runs for an ordinary user, also over kill -9', async () => {
    chownSync(base, NOBODY, NOBODY);
    const first = start({ uid: NOBODY, gid: NOBODY });
    await ready(first);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    await first.line('committed', (n) => Number(n) > 50);
    await first.kill('SIGKILL');
    const second = start({ uid: NOBODY, gid: NOBODY });
    const { url, adopted } = await ready(second);
    expect(adopted).toBe(true);
    expect(await rows(url)).toBeGreaterThanOrEqual(last(first));
    await second.kill('SIGTERM');
  });

  (isRoot ? it : it.skip)('names the folder that its user cannot enter, and the command that opens it', async () => {
    const closed = join(base, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    const child = start({}, join(closed, 'deeper', 'data'));
    expect(await child.line('problem')).toBe(
      `DATA_DIR: Postgres runs as user "postgres" because root may not, and cannot enter ${closed}; run chmod o+x ${closed}, or use another folder`,
    );
    expect(await child.exited).toBe(1);
  });

  it('finds the outermost folder that a user cannot enter', () => {
    const outer = join(base, 'outer');
    const inner = join(outer, 'inner');
    mkdirSync(inner, { recursive: true });
    chmodSync(inner, 0o770);
    const stranger = { name: 'stranger', uid: 12_345, gid: 12_345 };
    expect(findBlockingFolder(join(inner, 'not', 'yet', 'there'), stranger)).toBe(inner);
    expect(findBlockingFolder(inner, { ...stranger, uid: statSync(inner).uid })).toBeUndefined();
    chmodSync(inner, 0o771);
    expect(findBlockingFolder(inner, stranger)).toBeUndefined();
  });

  it('refuses a folder that it cannot write, by its name', async () => {
    writeFileSync(join(base, 'file'), '');
    const child = start({}, join(base, 'file', 'data'));
    expect(await child.line('problem')).toContain(`DATA_DIR: ${join(base, 'file', 'data')} cannot be made (E`);
  });
});

function last(child: Child): number {
  return Number(child.all('committed').at(-1) ?? 0);
}

async function ask<T extends object>(url: string, sql: string): Promise<T[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function rows(url: string): Promise<number> {
  const [row] = await ask<{ count: string }>(url, 'select count(*) from load');
  return Number(row?.count);
}

async function owned(url: string): Promise<boolean> {
  return (await ask(url, `select from pg_locks where locktype = 'advisory'`)).length > 0;
}

import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually';
import { processesOf, SandboxProcess, type Found } from '../support/sandbox-process';

/** The first start of all compiles the sources. */
const WITH_BUILD_MS = 180_000;

describe('npm run sandbox', () => {
  let dataDir: string;
  const started: SandboxProcess[] = [];

  const start = (...args: string[]): SandboxProcess => {
    const sandbox = SandboxProcess.start(dataDir, ...args);
    started.push(sandbox);
    return sandbox;
  };
  const living = (word = ''): Found[] =>
    processesOf(join(dataDir, 'sandbox')).filter(({ command }) => command.includes(word));
  const kill = (word: string): void => living(word).forEach(({ pid }) => process.kill(pid, 'SIGKILL'));
  const noneLeft = (): Promise<true> =>
    eventually('no process of the sandbox is left', async () => living().length === 0 && true);

  beforeAll(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'sandbox-'));
    // As root Postgres runs as another user, who has to pass.
    chmodSync(dataDir, 0o711);
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((sandbox) => sandbox.signal('SIGKILL')));
    await noneLeft();
  });
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  it(
    'ends --once with 0 when all came as foreseen, has said what became of everything, and leaves no process',
    async () => {
      const sandbox = start('--once', '--accounts', '25');
      const code = await sandbox.exited;
      expect(living()).toEqual([]);
      expect({ code, output: sandbox.output }).toEqual({ code: 0, output: sandbox.output });
      expect(sandbox.output).toMatch(/^myPOS: 25 accounts read$/m);
      expect(sandbox.output).toMatch(/^OneSingleView: 25 accounts read$/m);
      expect(sandbox.output).toMatch(/^ {2}READ +\d+ {2}/m);
      expect(sandbox.output).toMatch(/^ {2}CREDIT_LINE_UNCLEAR +1 {2}/m);
      expect(sandbox.output).toMatch(/^ {2}rejected +1 {2}AMLYZE says 404 "Account with given extId does not exist"$/m);
      expect(sandbox.output).toMatch(/^ {2}held +1 {2}COLLISION: /m);
      expect(sandbox.output).toMatch(/^Foreseen and seen: no difference in 50 accounts\.$/m);
      expect(sandbox.output).toMatch(/^ {2}admin key +\S{32,}$/m);
      expect(sandbox.output.match(/^ {2}curl .+$/gm)).toHaveLength(3);
      expect(sandbox.output).not.toContain('\x1b');
    },
    WITH_BUILD_MS,
  );

  it('goes on until Ctrl-C, brings a killed gateway back meanwhile, and then ends everything', async () => {
    const sandbox = start('--accounts', '3');
    await sandbox.says(/Ctrl-C ends everything/);
    const [, url, key] = await sandbox.says(/status +(http:\S+)[^]*admin key +(\S+)/);
    kill('dist/main.js');
    await sandbox.says(/The gateway answers again/);
    const answer = await fetch(url ?? '', { headers: { Authorization: `Bearer ${key ?? ''}` } });
    expect(answer.status).toBe(200);
    expect(await sandbox.signal('SIGINT')).toBe(0);
    expect(living()).toEqual([]);
  }, 60_000);

  it('ends with 130 and leaves no process when Ctrl-C comes in the middle of the start', async () => {
    const sandbox = start('--accounts', '3');
    await eventually('Postgres starts', async () => living('postgres').length > 0);
    expect(await sandbox.signal('SIGINT')).toBe(130);
    expect(living()).toEqual([]);
  }, 60_000);

  it('takes its processes along when it is killed, and starts again on the same folder', async () => {
    const sandbox = start('--accounts', '3');
    await sandbox.says(/Ctrl-C ends everything/);
    await sandbox.signal('SIGKILL');
    expect(await start('--accounts', '3', '--once').exited).toBe(0);
    expect(living()).toEqual([]);
  }, 60_000);

  it('copes with the Postgres of a sandbox whose every other process was killed', async () => {
    const sandbox = start('--accounts', '3');
    await sandbox.says(/Ctrl-C ends everything/);
    process.kill(sandbox.pid, 'SIGSTOP');
    kill('dist/');
    await sandbox.signal('SIGKILL');
    expect(living().map(({ command }) => command)).toContainEqual(expect.stringContaining('postgres'));
    const next = start('--accounts', '3', '--once');
    expect({ code: await next.exited, output: next.output }).toMatchObject({ code: 0 });
  }, 60_000);

  it('goes on with the database of the one before with --keep, and everything comes as foreseen again', async () => {
    expect(await start('--accounts', '20', '--once').exited).toBe(0);
    const kept = start('--accounts', '3', '--once', '--keep');
    expect({ code: await kept.exited, output: kept.output }).toMatchObject({ code: 0 });
    expect(kept.output).toMatch(/^myPOS: 20 accounts read$/m);
    expect(kept.output).toMatch(/run 2,/);
  }, 60_000);

  it('refuses a folder that another sandbox runs in, and leaves that one alone', async () => {
    const first = start('--accounts', '3');
    await first.says(/Ctrl-C ends everything/);
    const second = start('--once');
    expect(await second.exited).toBe(1);
    expect(second.output).toMatch(/^DATA_DIR: another sandbox \(process \d+\) is running on /m);
    expect(await first.signal('SIGTERM')).toBe(0);
  }, 60_000);

  it('ends with 1, says why and leaves no process when a simulator dies', async () => {
    const sandbox = start('--accounts', '3');
    await sandbox.says(/Ctrl-C ends everything/);
    kill('main.js amlyze');
    expect(await sandbox.exited).toBe(1);
    expect(sandbox.output).toContain('the simulator of amlyze ended (signal SIGKILL)');
    expect(living()).toEqual([]);
  }, 60_000);

  it('deletes nothing of a folder that is not a sandbox of ours', async () => {
    const foreign = join(dataDir, 'foreign');
    mkdirSync(join(foreign, 'sandbox'), { recursive: true });
    writeFileSync(join(foreign, 'sandbox', 'thesis.txt'), 'x');
    const sandbox = SandboxProcess.start(foreign, '--once');
    expect(await sandbox.exited).toBe(1);
    expect(sandbox.output).toMatch(/^DATA_DIR: .* holds files of something else/m);
    expect(existsSync(join(foreign, 'sandbox', 'thesis.txt'))).toBe(true);
  });

  it.each([['--accounts', '0'], ['--accounts', 'many'], ['--acounts=5'], ['5']])(
    'ends with 2 and its usage for %s %s',
    async (...args) => {
      const sandbox = start(...args.filter((arg) => arg !== undefined));
      expect(await sandbox.exited).toBe(2);
      expect(sandbox.output).toContain('npm run sandbox [-- --accounts N]');
    },
  );

  const asRoot = process.getuid?.() === 0 ? it : it.skip;
  asRoot(
    'names the folder that keeps Postgres out, and the remedy, in one line',
    async () => {
      const closed = join(dataDir, 'closed');
      mkdirSync(closed, { mode: 0o700 });
      const sandbox = SandboxProcess.start(closed, '--once');
      expect(await sandbox.exited).toBe(1);
      expect(sandbox.output).toMatch(/cannot enter .*closed; run chmod o\+x .*closed/);
      expect(processesOf(closed)).toEqual([]);
    },
    30_000,
  );
});

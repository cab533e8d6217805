import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually';
import { processesOf, SandboxProcess, type Found } from '../support/sandbox-process';

/** The first start of all compiles the sources. */
const WITH_BUILD_MS = 180_000;

/** Takes a port, unless somebody else has it already. */
async function occupy(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.once('error', () => resolve()).listen(port, '127.0.0.1', resolve));
  return server;
}

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
  }, 30_000);
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  describe('with --once', () => {
    let first: { code: number | null; output: string; left: Found[] };

    beforeAll(async () => {
      const sandbox = start('--once', '--accounts', '25');
      first = { code: await sandbox.exited, output: sandbox.output, left: living() };
    }, WITH_BUILD_MS);

    it('ends with 0 when everything came as foreseen, and leaves no process', () => {
      expect(first).toEqual({ code: 0, output: first.output, left: [] });
      expect(first.output).toMatch(/^Foreseen and seen: no difference in 50 accounts\.$/m);
    });

    it('says what became of everything', () => {
      expect(first.output).toMatch(/^myPOS: 25 accounts read$/m);
      expect(first.output).toMatch(/^OneSingleView: 25 accounts read$/m);
      expect(first.output).toMatch(/^ {2}READ +\d+ {2}/m);
      expect(first.output).toMatch(/^ {2}CREDIT_LINE_UNCLEAR +1 {2}/m);
      expect(first.output).toMatch(/^ {2}rejected +1 {2}AMLYZE says 404 "Account with given extId does not exist"$/m);
      expect(first.output).toMatch(/^ {2}held +1 {2}COLLISION: /m);
    });

    it('shows an import of card payments: taken, refused by the gateway, rejected by AMLYZE, each in its words', () => {
      expect(first.output).toMatch(/^Card payments: 10 operations .*, 9 taken, 1 refused before sending$/m);
      expect(first.output).toMatch(/^ {2}CARD-000001 +1499\.00 EUR accepted /m);
      expect(first.output).toMatch(/GBP refused .*\n +the gateway says amountInEuro must be /);
      expect(first.output).toMatch(/EUR rejected .*\n +AMLYZE says O006 "entityType mismatch /);
      expect(first.output).toMatch(/^Foreseen and seen: no difference in 10 operations\.$/m);
    });

    it('gives the admin key and three calls to try, and no colours outside a terminal', () => {
      expect(first.output).toMatch(/^ {2}admin key +\S{32,}$/m);
      expect(first.output.match(/^ {2}curl .+$/gm)).toHaveLength(3);
      expect(first.output).not.toContain('\x1b');
    });

    it('goes on with the database of the one before with --keep, on free ports where the usual ones are taken', async () => {
      const occupants = await Promise.all([3000, 4001, 4002, 4003].map(occupy));
      const kept = start('--once', '--accounts', '3', '--keep');
      expect({ code: await kept.exited, output: kept.output }).toMatchObject({ code: 0 });
      expect(kept.output).toMatch(/^myPOS: 25 accounts read$/m);
      expect(kept.output).toMatch(/^50 accounts at 2 banks, run 2,/m);
      expect(kept.output).not.toMatch(/:(3000|400[123])\b/);
      for (const occupant of occupants) occupant.close();
    }, 120_000);
  });

  it('goes on until Ctrl-C, keeps other sandboxes out of its folder, and brings a killed gateway back', async () => {
    const sandbox = start('--accounts', '3');
    await sandbox.says(/Ctrl-C ends everything/);
    const [, url = '', key = ''] = await sandbox.says(/status +(http:\S+)[^]*admin key +(\S+)/);

    const second = start('--once');
    expect(await second.exited).toBe(1);
    expect(second.output).toMatch(/^DATA_DIR: another sandbox \(process \d+\) is running on /m);

    kill('dist/main.js');
    await sandbox.says(/The gateway answers again/);
    expect((await fetch(url, { headers: { Authorization: `Bearer ${key}` } })).status).toBe(200);

    expect(await sandbox.signal('SIGINT')).toBe(0);
    expect(living()).toEqual([]);
  }, 120_000);

  it('ends with 130 and leaves no process when Ctrl-C comes in the middle of the start', async () => {
    const sandbox = start('--accounts', '3');
    await eventually('Postgres starts', async () => living('postgres').length > 0);
    expect(await sandbox.signal('SIGINT')).toBe(130);
    expect(living()).toEqual([]);
  }, 120_000);

  it('takes its processes along when it is killed', async () => {
    const sandbox = start('--accounts', '3');
    await sandbox.says(/Ctrl-C ends everything/);
    await sandbox.signal('SIGKILL');
    await noneLeft();
  }, 120_000);

  it('ends when npm is ended, whose signal never reaches it', async () => {
    const sandbox = SandboxProcess.startByNpm(dataDir, '--accounts', '3');
    started.push(sandbox);
    await sandbox.says(/Ctrl-C ends everything/);
    process.kill(sandbox.pid, 'SIGTERM');
    await noneLeft();
  }, 120_000);

  it('copes with the Postgres of a sandbox whose every other process was killed', async () => {
    const sandbox = start('--accounts', '3');
    await sandbox.says(/Ctrl-C ends everything/);
    process.kill(sandbox.pid, 'SIGSTOP');
    kill('dist/');
    await sandbox.signal('SIGKILL');
    expect(living().map(({ command }) => command)).toContainEqual(expect.stringContaining('postgres'));
    const next = start('--accounts', '3', '--once');
    expect({ code: await next.exited, output: next.output }).toMatchObject({ code: 0 });
  }, 120_000);

  it('ends with 1, says why and leaves no process when a simulator dies', async () => {
    const sandbox = start('--accounts', '3');
    await sandbox.says(/Ctrl-C ends everything/);
    kill('main.js amlyze');
    expect(await sandbox.exited).toBe(1);
    expect(sandbox.output).toContain('the simulator of amlyze ended (signal SIGKILL)');
    expect(living()).toEqual([]);
  }, 120_000);

  it('deletes nothing of a folder that is not a sandbox of ours', async () => {
    const foreign = join(dataDir, 'foreign');
    mkdirSync(join(foreign, 'sandbox'), { recursive: true });
    writeFileSync(join(foreign, 'sandbox', 'thesis.txt'), 'x');
    const sandbox = SandboxProcess.start(foreign, '--once');
    expect(await sandbox.exited).toBe(1);
    expect(sandbox.output).toMatch(/^DATA_DIR: .* holds files of something else/m);
    expect(existsSync(join(foreign, 'sandbox', 'thesis.txt'))).toBe(true);
  });

  it.each(['--accounts=0', '--accounts=many', '--acounts=5', '5'])(
    'ends with 2 and its usage for %s',
    async (argument) => {
      const sandbox = start(argument);
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

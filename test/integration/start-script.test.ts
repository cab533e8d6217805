import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const SCRIPTS = join(__dirname, '..', '..', 'scripts');

/** Stands in for TypeScript's. */
const COMPILER = 'node_modules/typescript/bin/tsc';

describe('npm start', () => {
  let root: string;

  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const age = (path: string, minutes: number): void => {
    const time = Date.now() / 1_000 - minutes * 60;
    utimesSync(join(root, path), time, time);
  };
  /** A checkout whose compiler leaves a note and makes a main.js that prints what it was started with. */
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'start-'));
    mkdirSync(join(root, 'scripts'));
    for (const name of ['start.mjs', 'build-if-stale.mjs', 'runtime.json'])
      copyFileSync(join(SCRIPTS, name), join(root, 'scripts', name));
    write('src/main.ts', '');
    write('migrations/1-x.sql', '');
    write(
      COMPILER,
      `const fs = require('fs'); const out = process.argv[process.argv.indexOf('--outDir') + 1];
       fs.mkdirSync(out, { recursive: true }); fs.writeFileSync('built', '');
       fs.writeFileSync(out + '/main.js', 'console.log(JSON.stringify({ argv: process.argv.slice(2), flags: process.execArgv, env: process.env })); process.exit(7)');`,
    );
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const start = (...args: string[]): { status: number | null; stdout: string } =>
    spawnSync(process.execPath, [join(root, 'scripts', 'start.mjs'), ...args], { encoding: 'utf8' });
  const built = (): boolean => existsSync(join(root, 'built'));

  it('builds where dist is missing, passes arguments on and ends with the exit code of the gateway', () => {
    const { status, stdout } = start('--demo');
    expect(built()).toBe(true);
    expect(status).toBe(7);
    const seen = JSON.parse(stdout) as { argv: string[]; flags: string[]; env: object };
    expect(seen.argv).toEqual(['--demo']);
    expect(seen.flags).toContain('--disable-proto=delete');
    expect(seen.env).toMatchObject({ MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' });
  });

  it('does not build again what is newer than its sources', () => {
    write('dist/main.js', 'process.exit(3)');
    for (const path of ['src/main.ts', 'src', 'migrations/1-x.sql', 'migrations']) age(path, 5);
    expect(start().status).toBe(3);
    expect(built()).toBe(false);
  });

  it.each(['src/main.ts', 'migrations/1-x.sql', 'tsconfig.json'])('builds again after a change of %s', (path) => {
    write('dist/main.js', 'process.exit(3)');
    for (const other of ['src/main.ts', 'src', 'migrations/1-x.sql', 'migrations', 'dist/main.js']) age(other, 5);
    write(path, '');
    expect(start().status).toBe(7);
    expect(built()).toBe(true);
  });

  it('ends with the code of a failed build and starts nothing', () => {
    write(COMPILER, 'process.exit(2)');
    expect(start()).toMatchObject({ status: 2, stdout: '' });
  });

  it('leaves the former build as it was, and nothing beside it, where the compiler is interrupted', () => {
    write('dist/main.js', 'process.exit(3)');
    age('dist/main.js', 5);
    write(
      COMPILER,
      `const fs = require('fs'); const out = process.argv[process.argv.indexOf('--outDir') + 1];
       fs.mkdirSync(out, { recursive: true }); fs.writeFileSync(out + '/main.js', ''); process.kill(process.pid, 'SIGKILL');`,
    );
    expect(start().status).toBe(1);
    expect(readFileSync(join(root, 'dist', 'main.js'), 'utf8')).toBe('process.exit(3)');
    expect(readdirSync(root).filter((name) => name.startsWith('dist'))).toEqual(['dist']);
  });

  it('builds again what was changed while the compiler ran', () => {
    write(
      COMPILER,
      `const fs = require('fs'); const out = process.argv[process.argv.indexOf('--outDir') + 1];
       fs.mkdirSync(out, { recursive: true }); fs.appendFileSync('built', 'x');
       const now = Date.now() / 1000; fs.utimesSync('src/main.ts', now, now);
       fs.writeFileSync(out + '/main.js', 'process.exit(7)'); fs.utimesSync(out + '/main.js', now + 1, now + 1);`,
    );
    start();
    expect(start().status).toBe(7);
    expect(readFileSync(join(root, 'built'), 'utf8')).toBe('xx');
  });

  it('is the gateway itself, so that a signal to it reaches the gateway', async () => {
    write(
      'dist/main.js',
      `process.on('SIGTERM', () => process.exit(5)); console.log('up'); setInterval(() => {}, 1000);`,
    );
    for (const path of ['src/main.ts', 'src', 'migrations/1-x.sql', 'migrations']) age(path, 5);
    const child = spawn(process.execPath, [join(root, 'scripts', 'start.mjs')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([5, null]);
  });
});

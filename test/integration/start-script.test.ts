import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const SCRIPT = join(__dirname, '..', '..', 'scripts', 'start.mjs');

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
    copyFileSync(SCRIPT, join(root, 'scripts', 'start.mjs'));
    write('src/main.ts', '');
    write('migrations/1-x.sql', '');
    write(
      'node_modules/@nestjs/cli/bin/nest.js',
      `const fs = require('fs'); fs.mkdirSync('dist', { recursive: true }); fs.writeFileSync('built', '');
       fs.writeFileSync('dist/main.js', 'console.log(JSON.stringify({ argv: process.argv.slice(2), flags: process.execArgv })); process.exit(7)');`,
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
    const seen = JSON.parse(stdout) as { argv: string[]; flags: string[] };
    expect(seen.argv).toEqual(['--demo']);
    expect(seen.flags).toContain('--disable-proto=delete');
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
    write('node_modules/@nestjs/cli/bin/nest.js', 'process.exit(2)');
    expect(start()).toMatchObject({ status: 2, stdout: '' });
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

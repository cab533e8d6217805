import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { transformSync, type Options } from '@swc/core';

const ROOT = join(__dirname, '..', '..', '..');
/** Inside node_modules, so that the built program finds its packages. */
const BUILDS = join(ROOT, 'node_modules', '.cache', 'fault-suite');
/** A build that nobody has used for so long is no running suite's. */
const KEPT_MS = 2 * 60 * 60 * 1000;

/** As jest.config.js compiles the sources. */
const SWC: Options = {
  jsc: {
    target: 'es2024',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
  module: { type: 'commonjs' },
  swcrc: false,
};

export interface Build {
  /** The folder with main.js. */
  dist: string;
  /** Compiled code of earlier starts, which makes the next ones quicker. */
  codeCache: string;
}

/** `tsc` is what `npm run build` runs; `swc` is what jest runs, twenty times as quick. */
export type Compiler = 'tsc' | 'swc';

/**
 * Compiles the gateway and its simulators into a folder of the suite's own, where no other build gets in the way; one that is
 * there already is used. Types are not checked again, `npm run typecheck` does that.
 */
export function buildGateway(compiler: Compiler): Build {
  const stamp = Math.round(Math.max(newest(join(ROOT, 'src')), newest(join(ROOT, 'migrations'))));
  const folder = join(BUILDS, `${stamp}-${compiler}`);
  if (!existsSync(folder)) {
    const draft = `${folder}.${process.pid}`;
    mkdirSync(draft, { recursive: true });
    if (compiler === 'tsc') compileWithTsc(join(draft, 'dist'));
    else compileWithSwc(join(draft, 'dist'));
    cpSync(join(ROOT, 'migrations'), join(draft, 'migrations'), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(draft, 'package.json'));
    try {
      renameSync(draft, folder);
    } catch {
      // Another run of the suite was quicker.
      rmSync(draft, { recursive: true, force: true });
    }
    removeOld();
  }
  const now = new Date();
  utimesSync(folder, now, now);
  return { dist: join(folder, 'dist'), codeCache: join(folder, 'code-cache') };
}

function compileWithTsc(outDir: string): void {
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = [tsc, '-p', 'tsconfig.build.json', '--noCheck', '--sourceMap', 'false', '--outDir', outDir];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the gateway does not compile: ${stdout}`);
}

function compileWithSwc(outDir: string): void {
  const source = join(ROOT, 'src');
  for (const name of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts') || name.endsWith('.spec.ts')) continue;
    const { code } = transformSync(readFileSync(join(source, name), 'utf8'), { ...SWC, filename: name });
    const file = join(outDir, name.replace(/ts$/, 'js'));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, code);
  }
}

function removeOld(): void {
  for (const name of readdirSync(BUILDS)) {
    const folder = join(BUILDS, name);
    const usedMs = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (usedMs < Date.now() - KEPT_MS) rmSync(folder, { recursive: true, force: true });
  }
}

function newest(path: string): number {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

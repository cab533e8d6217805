import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..', '..');
/** Inside node_modules, so that the built program finds its packages. */
const BUILDS = join(ROOT, 'node_modules', '.cache', 'fault-suite');
const KEPT_BUILDS = 3;

export interface Build {
  /** The folder with main.js. */
  dist: string;
  /** Compiled code of earlier starts, which makes the next ones quicker. */
  codeCache: string;
}

/**
 * Compiles the gateway and its simulators into a folder of the suite's own, where no other build gets in the way; one that is
 * there already is used. Types are not checked again, `npm run typecheck` does that.
 */
export function buildGateway(): Build {
  const folder = join(BUILDS, String(Math.round(newest(join(ROOT, 'src')) + newest(join(ROOT, 'migrations')))));
  if (!existsSync(folder)) {
    const draft = `${folder}.${process.pid}`;
    mkdirSync(draft, { recursive: true });
    compile(join(draft, 'dist'));
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
  return { dist: join(folder, 'dist'), codeCache: join(folder, 'code-cache') };
}

function compile(outDir: string): void {
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = [tsc, '-p', 'tsconfig.build.json', '--noCheck', '--sourceMap', 'false', '--outDir', outDir];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the gateway does not compile: ${stdout}`);
}

function removeOld(): void {
  const folders = readdirSync(BUILDS).filter((name) => /^\d+$/.test(name));
  for (const old of folders.sort().slice(0, -KEPT_BUILDS)) rmSync(join(BUILDS, old), { recursive: true, force: true });
}

function newest(path: string): number {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

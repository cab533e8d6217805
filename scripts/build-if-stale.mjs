// What npm start and npm run sandbox share: a build where one is needed, then the program in place of this process.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');

const SOURCES = ['src', 'migrations', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json', 'package.json'];

/**
 * Semi-spaces of 16 MB, which may fill up before they are collected (V8 rounds their size up to a power of two), and an old generation that may
 * grow by 60 % before it is collected cost no more CPU than larger ones and less growth, and keep the peak memory below 250 MB; so does glibc's
 * allocator with two arenas instead of one a thread and with a limit from which memory is mapped for a block of its own: unless it is given, glibc
 * raises it, and the heap keeps the holes of large buffers. Without the __proto__ accessor a foreign JSON text has one way less
 * into the prototypes ("delete" rather than "throw": hostile input must not raise errors).
 */
const RUNTIME = JSON.parse(readFileSync(join(root, 'scripts', 'runtime.json'), 'utf8'));

/** Newest change below a path, in ms; 0 where it is absent. */
function newest(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return 0;
  if (!stats.isDirectory()) return stats.mtimeMs;
  // The folder's own time tells of deleted files.
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** Builds where the program in dist/ is missing or older than the sources; a failed build ends this process. */
export function buildIfStale(program) {
  const newestSource = Math.max(...SOURCES.map((path) => newest(join(root, path))));
  if (newest(join(dist, program)) > newestSource) return;
  process.stderr.write('Compiling the sources ...');
  const startMs = Date.now();
  const { status } = compile(startMs);
  process.stderr.write(status === 0 ? ` ${((Date.now() - startMs) / 1000).toFixed(1)} s\n` : '\n');
  if (status !== 0) process.exit(status ?? 1);
}

/** Into a folder beside, which takes the place of dist/ when it is complete: an interrupted build must not look like one. */
function compile(startMs) {
  const draft = `${dist}.${process.pid}`;
  // Caught, so that Ctrl-C ends the compiler and this process still clears up.
  const ignore = () => undefined;
  process.on('SIGINT', ignore);
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const result = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', draft], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (result.status === 0) {
    // A source that was changed while it was compiled is newer than this.
    for (const name of readdirSync(draft)) {
      if (name.endsWith('.js')) utimesSync(join(draft, name), startMs / 1000, startMs / 1000);
    }
    replaceDist(draft);
  }
  rmSync(draft, { recursive: true, force: true });
  process.off('SIGINT', ignore);
  return result;
}

/** Two starts at a time may both have built: whoever comes second replaces the first one's. */
function replaceDist(draft) {
  const former = `${draft}.former`;
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (existsSync(dist)) renameSync(dist, former);
      renameSync(draft, dist);
      break;
    } catch (error) {
      if (attempt === 5) throw error;
    }
    rmSync(former, { recursive: true, force: true });
  }
  rmSync(former, { recursive: true, force: true });
}

/** Runs a program of dist/ with this script's arguments, its terminal and its signals, and ends as it ends. */
export function become(program) {
  // Another Node may have been asked to run this script; the one of package.json runs the program.
  const pinned = join(root, 'node_modules', 'node', 'bin', 'node');
  const runtime = Number.parseInt(process.versions.node, 10) >= 24 ? process.execPath : pinned;
  const args = [...RUNTIME.flags, join(dist, program), ...process.argv.slice(2)];
  const env = { ...RUNTIME.env, ...process.env };
  // Becomes the program where Node can: no process in between that signals or supervisors could miss.
  process.execve?.(runtime, [runtime, ...args], env);

  const child = spawn(runtime, args, { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
  child.once('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

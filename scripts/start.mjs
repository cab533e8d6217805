// npm start: builds where dist/ is missing or older than the sources, then runs the gateway with its environment.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const main = join(root, 'dist', 'main.js');

/** Newest change below a path, in ms; 0 where it is absent. */
function newest(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return 0;
  if (!stats.isDirectory()) return stats.mtimeMs;
  // The folder's own time tells of deleted files.
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

const SOURCES = ['src', 'migrations', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json', 'package.json'];

function build() {
  const newestSource = Math.max(...SOURCES.map((path) => newest(join(root, path))));
  if (newest(main) > newestSource) return;
  const nest = join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
  const { status } = spawnSync(process.execPath, [nest, 'build'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/**
 * A young generation of 32 MB keeps the short-lived objects of a batch out of the old one. Without the __proto__ accessor a
 * foreign JSON text has one way less into the prototypes ("delete" rather than "throw": hostile input must not raise errors).
 */
const FLAGS = ['--max-semi-space-size=32', '--disable-proto=delete', '--enable-source-maps'];

build();
// Another Node may have been asked to run this script; the one of package.json runs the gateway.
const pinned = join(root, 'node_modules', 'node', 'bin', 'node');
const runtime = Number.parseInt(process.versions.node, 10) >= 24 ? process.execPath : pinned;
const args = [...FLAGS, main, ...process.argv.slice(2)];
// Becomes the gateway where Node can: no process in between that signals or supervisors could miss.
process.execve?.(runtime, [runtime, ...args], process.env);

const child = spawn(runtime, args, { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.once('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
child.once('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));

import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../shared/error-code';
import { StartProblem } from '../../shared/start-problem';
import type { Cluster } from './cluster';

export interface Postmaster {
  pid: number;
  port: number;
}

/**
 * The server that runs on this folder, by Postgres's own note of it (lines 1 and 4 of postmaster.pid,
 * https://www.postgresql.org/docs/current/storage-file-layout.html). A note whose process is gone counts as none.
 */
export function findPostmaster(clusterDir: string): Postmaster | undefined {
  const file = join(clusterDir, 'postmaster.pid');
  let lines: string[];
  try {
    lines = readFileSync(file, 'utf8').split('\n');
  } catch {
    return undefined;
  }
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!(pid > 0 && port > 0) || !isAlive(pid)) return undefined;
  if (isStranger(pid, clusterDir)) {
    // After a restart of the machine or container the number may be another's, and Postgres would refuse to start.
    rmSync(file, { force: true });
    return undefined;
  }
  return { pid, port };
}

/** True while the process exists and is no zombie. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errorCode(error) !== 'EPERM') return false;
  }
  return procStat(pid)?.state !== 'Z';
}

/** Only where /proc proves it: the process is no postgres, or one that works in another folder. */
function isStranger(pid: number, clusterDir: string): boolean {
  const stat = procStat(pid);
  if (!stat) return false;
  if (!stat.name.startsWith('postgres')) return true;
  try {
    return readlinkSync(`/proc/${String(pid)}/cwd`) !== realpathSync(clusterDir);
  } catch {
    return false;
  }
}

function procStat(pid: number): { name: string; state: string } | undefined {
  if (!existsSync('/proc/self/stat')) return undefined;
  try {
    const [, name = '', state = ''] = /\((.*)\) (\S)/.exec(readFileSync(`/proc/${String(pid)}/stat`, 'utf8')) ?? [];
    return { name, state };
  } catch {
    return undefined;
  }
}

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'timezone=UTC',
  'log_timezone=UTC',
  // A pool of 16 per replica, and several replicas on one folder's server in tests.
  'max_connections=200',
  // /dev/shm is 64 MB in many containers.
  'dynamic_shared_memory_type=mmap',
  // After a checkpoint the first change of a page writes all of it: every account's pages in the indexes, run after run.
  'max_wal_size=4GB',
  'checkpoint_timeout=15min',
  // LOG ranks above ERROR here: the server's own life is logged, the statements of clients and their values are not.
  'log_min_messages=log',
  'log_checkpoints=off',
];

/**
 * Starts the server in a session of its own, so that a signal to the gateway's process group does not reach it, and with
 * its log in a file instead of the gateway's pipes. Returns its process id at once, 0 where it could not be started.
 */
export function spawnPostmaster(cluster: Cluster, port: number): number {
  const log = openLog(cluster.logFile);
  const args = ['-D', cluster.dir, '-p', String(port), ...SETTINGS.flatMap((setting) => ['-c', setting])];
  const child = spawn(cluster.binaries.postgres, args, {
    ...cluster.processOptions,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.once('error', () => undefined);
  child.unref();
  return child.pid ?? 0;
}

function openLog(file: string): number {
  try {
    return openSync(file, 'w', 0o600);
  } catch (cause) {
    throw new StartProblem([`DATA_DIR: ${file} cannot be written (${errorCode(cause)})`], { cause });
  }
}

/** SIGINT is Postgres's fast shutdown: sessions end, everything is written. SIGQUIT leaves the rest to recovery. */
export function signalPostmaster(pid: number, signal: 'SIGINT' | 'SIGQUIT'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Already gone.
  }
}

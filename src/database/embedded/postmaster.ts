import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../shared/error-code';
import type { Cluster } from './cluster';

/** Postgres's own note of a running server, https://www.postgresql.org/docs/current/storage-file-layout.html */
export interface Postmaster {
  pid: number;
  port: number;
}

export function readPostmaster(clusterDir: string): Postmaster | undefined {
  let lines: string[];
  try {
    lines = readFileSync(join(clusterDir, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return undefined;
  }
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  return Number.isInteger(pid) && pid > 0 && port > 0 ? { pid, port } : undefined;
}

/** True while the process exists and, where /proc tells, is a postgres and no stranger that was given the old number. */
export function isPostmasterAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errorCode(error) !== 'EPERM') return false;
  }
  if (!existsSync('/proc/self/stat')) return true;
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    const [, name = '', state = ''] = /\((.*)\) (\S)/.exec(stat) ?? [];
    return name.startsWith('postgres') && state !== 'Z';
  } catch {
    return false;
  }
}

/**
 * Starts the server in a session of its own, so that a signal to the gateway's process group does not reach it, and
 * detached from the gateway's pipes. Resolves at once; `exited` resolves when the server ends.
 */
export function spawnPostmaster(cluster: Cluster, port: number): { pid: number; exited: Promise<void> } {
  const log = openSync(cluster.logFile, 'w', 0o600);
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'timezone=UTC',
    'log_timezone=UTC',
    // /dev/shm is 64 MB in many containers.
    'dynamic_shared_memory_type=mmap',
    // LOG ranks above ERROR here: the server's own life is logged, the statements of clients and their values are not.
    'log_min_messages=log',
    'log_checkpoints=off',
  ];
  const child = spawn(
    cluster.binaries.postgres,
    ['-D', cluster.dir, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    { ...cluster.processOptions, detached: true, stdio: ['ignore', log, log] },
  );
  closeSync(log);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  child.unref();
  return { pid: child.pid ?? 0, exited };
}

/** Fast shutdown: sessions are ended, everything is written, nothing needs recovery at the next start. */
export function requestStop(pid: number): void {
  try {
    process.kill(pid, 'SIGINT');
  } catch {
    // Already gone.
  }
}

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { stopLeftoverPostgres } from '../database/embedded-postgres';
import { isAlive } from '../database/embedded/postmaster';
import { errorCode } from '../shared/error-code';
import { makePrivateFolder } from '../shared/private-files';
import { StartProblem } from '../shared/start-problem';
import { killGroup } from './child';

/** Says whose folder it is, and which processes work in it. */
const NOTE = 'sandbox-processes';
/** Processes of a killed sandbox end by themselves; the gateway takes at most 10 s. */
const LEFTOVER_DEADLINE_MS = 12_000;

/** DATA_DIR/sandbox, where everything of the sandbox lies. */
export class SandboxFolder {
  private readonly pids: string[] = [`sandbox ${process.pid}`];

  private constructor(readonly path: string) {}

  /**
   * Ends what a killed sandbox left behind, and empties the folder unless `keep`.
   * @throws StartProblem where another sandbox runs in it, or it cannot be used
   */
  static async open(dataDir: string, keep: boolean): Promise<SandboxFolder> {
    const path = resolve(dataDir, 'sandbox');
    try {
      makePrivateFolder(path);
      if (!isOurs(path)) {
        throw new StartProblem([`DATA_DIR: ${path} holds files of something else; remove it, or use another DATA_DIR`]);
      }
      await endLeftovers(path);
      await stopLeftoverPostgres(path);
      const folder = new SandboxFolder(path);
      folder.write();
      empty(path, keep ? (name) => name.endsWith('.log') : () => true);
      return folder;
    } catch (cause) {
      if (cause instanceof StartProblem || errorCode(cause) === '') throw cause;
      throw new StartProblem([`DATA_DIR: ${path} cannot be used (${errorCode(cause)})`], { cause });
    }
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** Notes a process, so that the next sandbox can end it if this one cannot. */
  note(pid: number | undefined): void {
    if (pid === undefined) return;
    this.pids.push(`child ${pid}`);
    this.write();
  }

  private write(): void {
    writeFileSync(this.file(NOTE), `${this.pids.join('\n')}\n`, { mode: 0o600 });
  }
}

/** Nothing of anybody else's is ever deleted. */
function isOurs(path: string): boolean {
  const names = readdirSync(path);
  return names.length === 0 || names.includes(NOTE) || names.includes('postgres-password');
}

function empty(path: string, goes: (name: string) => boolean): void {
  for (const name of readdirSync(path).filter(goes)) {
    // A Postgres that was killed a moment ago may still write.
    if (name !== NOTE) rmSync(join(path, name), { recursive: true, force: true, maxRetries: 10 });
  }
}

async function endLeftovers(path: string): Promise<void> {
  const file = join(path, NOTE);
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  const noted = lines.map((line) => ({ role: line.split(' ')[0], pid: Number(line.split(' ')[1]) }));
  for (const { role, pid } of noted) {
    if (role === 'sandbox' && isSandboxProcess(pid)) {
      throw new StartProblem([
        `DATA_DIR: another sandbox (process ${pid}) is running on ${path}; end it, or give this one another DATA_DIR`,
      ]);
    }
  }
  const end = Date.now() + LEFTOVER_DEADLINE_MS;
  for (const { pid } of noted) {
    while (isSandboxProcess(pid) && Date.now() < end) await wait(50);
    if (isSandboxProcess(pid)) killGroup(pid);
  }
}

/** Only where /proc proves it: process numbers are used again. Elsewhere the lock in Postgres tells of a living gateway. */
function isSandboxProcess(pid: number): boolean {
  if (!(pid > 1) || pid === process.pid || !isAlive(pid)) return false;
  try {
    return /\/sandbox(\.js|\/end-with-parent\.js)\0/.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
  } catch {
    return false;
  }
}

import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export interface Program {
  /** As the messages name it. */
  title: string;
  /** The compiled file. */
  file: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  logFile: string;
}

/** The gateway drains for at most 10 s. */
const END_DEADLINE_MS = 12_000;
const POLL_MS = 25;

/** A process ended that should have gone on. */
export class ChildEnded extends Error {
  constructor(
    readonly program: Program,
    /** `code 1`, `signal SIGKILL` */
    readonly how: string,
    readonly lastWords: string,
  ) {
    super(`${program.title} ended (${how})`);
  }
}

/** A process of the sandbox: in a group of its own, with its output in a file that outlives both. */
export class Child {
  /** Resolves with how it ended; never rejects. */
  readonly ended: Promise<string>;
  private how: string | undefined;

  private constructor(
    readonly program: Program,
    private readonly process: ChildProcess,
  ) {
    this.ended = new Promise((resolve) => {
      const end = (how: string): void => {
        this.how ??= how;
        resolve(this.how);
      };
      process.once('error', (error) => end(error.message));
      process.once('exit', (code, signal) => end(signal === null ? `code ${String(code)}` : `signal ${signal}`));
    });
  }

  static start(program: Program): Child {
    const log = openSync(program.logFile, 'a', 0o600);
    const child = fork(program.file, [...program.args], {
      execArgv: [...process.execArgv, '--require', join(__dirname, 'end-with-parent.js')],
      stdio: ['ignore', log, log, 'ipc'],
      env: program.env,
      detached: true,
    });
    closeSync(log);
    return new Child(program, child);
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Asks until there is an answer. @throws ChildEnded */
  async until<T>(ask: () => Promise<T | undefined> | T | undefined, deadlineMs: number): Promise<T> {
    for (const end = Date.now() + deadlineMs; ; await wait(POLL_MS)) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      if (this.how !== undefined) throw this.problem();
      if (Date.now() > end) throw new Error(`${this.program.title} did not answer within ${deadlineMs / 1000} s`);
    }
  }

  problem(): ChildEnded {
    return new ChildEnded(this.program, this.how ?? 'running', lastWords(this.output()));
  }

  output(): string {
    return readFileSync(this.program.logFile, 'utf8');
  }

  /** Ends it in good order, or without ceremony after the deadline, and what it started in its group with it. */
  async end(): Promise<void> {
    if (this.process.connected) this.process.disconnect();
    const late = setTimeout(() => this.process.kill('SIGKILL'), END_DEADLINE_MS);
    await this.ended;
    clearTimeout(late);
    if (this.pid !== undefined) killGroup(this.pid);
  }
}

export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}

/** What a person should read of a log: the start-up message where there is one, else the last lines. */
function lastWords(output: string): string {
  const lines = output.trimEnd().split('\n');
  const refusal = lines.findLastIndex((line) => line.startsWith('The gateway does not start'));
  return lines.slice(refusal < 0 ? -15 : refusal).join('\n');
}

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { eventually } from '../../support/eventually';
import type { Guardian } from './guardian';

export interface Program {
  title: string;
  file: string;
  args?: readonly string[];
  nodeArgs?: readonly string[];
  env: NodeJS.ProcessEnv;
  logFile: string;
}

/** Slow machines and busy ones are no fault. */
const START_DEADLINE_MS = 90_000;
const TERM_DEADLINE_MS = 15_000;

/** A Node program as a process of its own, with its output in a file. */
export class RigProcess {
  /** How it ended: `code 0`, `SIGKILL`. */
  readonly exited: Promise<string>;
  how: string | undefined;

  private constructor(
    readonly program: Program,
    private readonly process: ChildProcess,
    guardian: Guardian,
  ) {
    if (process.pid !== undefined) guardian.note(process.pid);
    this.exited = new Promise((resolve) => {
      const end = (how: string): void => {
        this.how ??= how;
        if (process.pid !== undefined) guardian.forget(process.pid);
        resolve(this.how);
      };
      process.once('error', (error) => end(error.message));
      process.once('exit', (code, signal) => end(signal ?? `code ${String(code)}`));
    });
  }

  static start(program: Program, guardian: Guardian): RigProcess {
    const log = openSync(program.logFile, 'a', 0o600);
    const args = [...(program.nodeArgs ?? []), program.file, ...(program.args ?? [])];
    const child = spawn(process.execPath, args, { stdio: ['ignore', log, log], env: program.env, detached: true });
    closeSync(log);
    return new RigProcess(program, child, guardian);
  }

  get pid(): number {
    if (this.process.pid === undefined) throw new Error(`${this.program.title} was not started`);
    return this.process.pid;
  }

  get alive(): boolean {
    return this.how === undefined;
  }

  /** Does nothing where the process is gone. */
  signal(signal: NodeJS.Signals): void {
    if (this.alive) this.process.kill(signal);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }

  /** Asks it to end; how it did, and after what time. */
  async terminate(): Promise<{ how: string; afterMs: number }> {
    const beganMs = performance.now();
    this.signal('SIGTERM');
    const late = setTimeout(() => this.signal('SIGKILL'), TERM_DEADLINE_MS);
    const how = await this.exited;
    clearTimeout(late);
    return { how, afterMs: Math.round(performance.now() - beganMs) };
  }

  output(): string {
    return readFileSync(this.program.logFile, 'utf8');
  }

  /** Waits for words in its output; the match. */
  async says(words: RegExp, deadlineMs = START_DEADLINE_MS): Promise<RegExpExecArray> {
    return eventually(
      `${this.program.title} says ${String(words)}`,
      async () => {
        const found = words.exec(this.output());
        if (!found && !this.alive) throw new Error(`${this.program.title} ended (${this.how}): ${this.lastWords()}`);
        return found ?? undefined;
      },
      deadlineMs,
    );
  }

  lastWords(): string {
    return this.output().trimEnd().split('\n').slice(-8).join('\n');
  }
}

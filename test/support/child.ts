import { errorCode } from '../../src/shared/error-code';
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

const REGISTER = join(__dirname, 'register.cjs');

export interface ChildOptions {
  uid?: number;
  gid?: number;
  env?: NodeJS.ProcessEnv;
}

/** A TypeScript program in a process group of its own, whose output lines can be waited for. */
export class Child {
  private readonly lines: string[] = [];
  private readonly waiting = new Set<() => void>();
  readonly exited: Promise<number | null>;

  private constructor(private readonly process: ChildProcess) {
    let rest = '';
    process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      this.lines.push(...parts);
      this.wake();
    });
    this.exited = new Promise((resolve) =>
      process.once('close', (code) => {
        resolve(code);
        this.wake();
      }),
    );
  }

  static start(program: string, args: readonly string[], options: ChildOptions = {}): Child {
    return new Child(
      spawn(process.execPath, ['--require', REGISTER, program, ...args], {
        detached: true,
        stdio: ['ignore', 'pipe', 'inherit'],
        ...options,
      }),
    );
  }

  /** The rest of the first line that begins with `word`, once `accept` likes one. */
  async line(word: string, accept: (rest: string) => boolean = () => true): Promise<string> {
    const deadline = Date.now() + 25_000;
    for (;;) {
      const rest = this.all(word).find(accept);
      if (rest !== undefined) return rest;
      if (this.process.exitCode !== null || this.process.signalCode !== null || Date.now() > deadline) {
        throw new Error(`no "${word}" from the child; it said: ${this.lines.slice(-5).join(' | ')}`);
      }
      await this.change(deadline - Date.now());
    }
  }

  all(word: string): string[] {
    return this.lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  }

  /** Sent to the whole process group, as a terminal or supervisor does. */
  async kill(signal: NodeJS.Signals): Promise<number | null> {
    if (this.process.exitCode === null && this.process.signalCode === null && this.process.pid !== undefined) {
      try {
        process.kill(-this.process.pid, signal);
      } catch (error) {
        // It has ended by itself, and its exit has only not been told yet.
        if (errorCode(error) !== 'ESRCH') throw error;
      }
    }
    return this.exited;
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }

  private change(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(limitMs, 0));
      this.waiting.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

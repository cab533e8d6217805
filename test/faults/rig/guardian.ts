import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { birthOf } from './birth';

/** Sees to it that nothing of the suite is left when it ends, even by kill -9. */
export class Guardian {
  private readonly process: ChildProcess;

  constructor() {
    this.process = spawn(process.execPath, [join(__dirname, 'end-leftovers.cjs')], {
      // A session of its own: Ctrl-C at the terminal ends the suite, and its end is the guardian's cue.
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
    });
    this.process.unref();
    this.process.stdin?.on('error', () => undefined);
  }

  note(pid: number): void {
    this.write(`process ${pid} ${birthOf(pid) ?? ''}`);
  }

  forget(pid: number): void {
    this.write(`gone ${pid}`);
  }

  removes(folder: string): void {
    this.write(`folder ${folder}`);
  }

  close(): void {
    this.process.stdin?.end();
  }

  private write(line: string): void {
    this.process.stdin?.write(`${line}\n`);
  }
}

import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { buildGateway } from '../faults/rig/build';
import { eventually } from './eventually';

const SCRIPT = join(__dirname, '..', '..', 'scripts', 'sandbox.mjs');

/** `npm run sandbox` without npm, in a process group of its own as a terminal would give it. It builds where it has to. */
export class SandboxProcess {
  output = '';
  readonly exited: Promise<number | null>;

  private constructor(private readonly process: ChildProcess) {
    for (const stream of [process.stdout, process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    this.exited = new Promise((resolve) => process.once('close', resolve));
  }

  static start(dataDir: string, ...args: string[]): SandboxProcess {
    return SandboxProcess.run(dataDir, process.execPath, [SCRIPT, ...args]);
  }

  /** As README has it, with npm and its shell above. */
  static startByNpm(dataDir: string, ...args: string[]): SandboxProcess {
    return SandboxProcess.run(dataDir, 'npm', ['run', 'sandbox', '--', ...args]);
  }

  private static run(dataDir: string, command: string, args: string[]): SandboxProcess {
    const { codeCache } = buildGateway('swc');
    const env = { ...process.env, NODE_COMPILE_CACHE: codeCache, DATA_DIR: dataDir, NODE_OPTIONS: '' };
    const cwd = join(__dirname, '..', '..');
    return new SandboxProcess(spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env, cwd }));
  }

  get pid(): number {
    if (this.process.pid === undefined) throw new Error('the sandbox was not started');
    return this.process.pid;
  }

  /** Waits until it said so; the match. */
  async says(words: RegExp, deadlineMs = 90_000): Promise<RegExpExecArray> {
    return eventually(
      `the sandbox says ${String(words)}; it said ${this.output}`,
      async () => words.exec(this.output) ?? (this.ended ? this.dead(words) : undefined),
      deadlineMs,
    );
  }

  /** To the whole process group, as a terminal sends it; npm's child gets no other one. */
  async signal(signal: NodeJS.Signals): Promise<number | null> {
    if (!this.ended) process.kill(-this.pid, signal);
    return this.exited;
  }

  private get ended(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  private dead(words: RegExp): never {
    throw new Error(`the sandbox ended and never said ${String(words)}: ${this.output}`);
  }
}

export interface Found {
  pid: number;
  command: string;
}

/** Living processes whose output goes into a file below the folder: those of its sandbox, Postgres included. Linux only. */
export function processesOf(folder: string): Found[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((name) => {
    try {
      if (!readlinkSync(`/proc/${name}/fd/1`).startsWith(`${folder}/`)) return [];
      return [
        { pid: Number(name), command: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() },
      ];
    } catch {
      return [];
    }
  });
}

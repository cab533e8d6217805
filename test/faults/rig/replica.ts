import { readFileSync } from 'node:fs';
import { eventually } from '../../support/eventually';
import { startRuntime } from '../../support/start-runtime';
import type { Build } from './build';
import type { Guardian } from './guardian';
import type { History } from './history';
import { RigProcess } from './rig-process';

export interface AdminAnswer {
  status: number;
  /** Parsed JSON; undefined where there was no body. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- scenarios state the shape by looking into it
  body: any;
}

export interface ReplicaParts {
  index: number;
  build: Build;
  env: NodeJS.ProcessEnv;
  adminKey: string;
  logFile: string;
  guardian: Guardian;
  history: History;
}

const CALL_DEADLINE_MS = 30_000;
const MEMORY_EVERY_MS = 500;

/** One gateway process, and how an operator's script and a supervisor see it. */
export class GatewayReplica {
  private constructor(
    private readonly parts: ReplicaParts,
    readonly process: RigProcess,
    /** Of its REST API. */
    readonly url: string,
  ) {}

  /** Only its process: for one that may be gone before it listens. */
  static spawn({ index, build, env, logFile, guardian }: ReplicaParts): RigProcess {
    const { flags, env: own } = startRuntime();
    return RigProcess.start(
      {
        title: `replica ${index}`,
        file: `${build.dist}/main.js`,
        nodeArgs: flags,
        env: { ...own, ...env },
        logFile,
      },
      guardian,
    );
  }

  /** Starts it and waits until it is ready. */
  static async start(parts: ReplicaParts): Promise<GatewayReplica> {
    const replica = await GatewayReplica.launch(parts);
    await replica.ready();
    return replica;
  }

  /** Starts it and waits only until it listens. */
  static async launch(parts: ReplicaParts): Promise<GatewayReplica> {
    const process = GatewayReplica.spawn(parts);
    const [, url = ''] = await process.says(
      /"msg":"gateway listens".*?"url":"(http[^"]+)"|"url":"(http[^"]+)".*?"msg":"gateway listens"/,
    );
    const replica = new GatewayReplica(parts, process, url);
    replica.watchMemory();
    return replica;
  }

  get index(): number {
    return this.parts.index;
  }

  get alive(): boolean {
    return this.process.alive;
  }

  /** One admin call, noted in the history. A replica that does not answer makes it throw. */
  async call(method: string, path: string, body?: object | string): Promise<AdminAnswer> {
    const { history, adminKey, index } = this.parts;
    const call = history.newCall();
    history.add({ kind: 'admin-call', call, replica: index, method, path });
    try {
      const answer = await this.fetch(method, path, { body, adminKey });
      const runId: unknown = answer.body?.runId;
      history.add({
        kind: 'admin-return',
        call,
        status: answer.status,
        ...(typeof runId === 'string' ? { runId } : {}),
      });
      return answer;
    } catch (error) {
      history.add({ kind: 'admin-return', call, status: 0 });
      throw error;
    }
  }

  /** A call that has to succeed; its body. */
  async ok(method: string, path: string, body?: object | string): Promise<AdminAnswer['body']> {
    const answer = await this.call(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Status of a health page, 0 where nobody answers in time. Not noted in the history. */
  async health(page: 'live' | 'ready', deadlineMs = 3_000): Promise<number> {
    try {
      const response = await fetch(`${this.url}/health/${page}`, { signal: AbortSignal.timeout(deadlineMs) });
      await response.arrayBuffer();
      return response.status;
    } catch {
      return 0;
    }
  }

  async ready(deadlineMs = 90_000): Promise<void> {
    await eventually(
      `replica ${this.index} is ready`,
      async () => {
        if (!this.alive)
          throw new Error(`replica ${this.index} ended (${this.process.how}): ${this.process.lastWords()}`);
        return (await this.health('ready')) === 200;
      },
      deadlineMs,
    );
  }

  /** kill -9; resolves when it is gone. */
  async kill(): Promise<void> {
    this.act('kill -9');
    await this.process.kill();
  }

  /** SIGSTOP: it holds what it has, and does nothing. */
  pause(): void {
    this.act('SIGSTOP');
    this.process.signal('SIGSTOP');
  }

  resume(): void {
    this.act('SIGCONT');
    this.process.signal('SIGCONT');
  }

  async terminate(): Promise<{ how: string; afterMs: number }> {
    this.act('SIGTERM');
    return this.process.terminate();
  }

  /** Its log so far, one JSON object a line. */
  log(): string {
    return this.process.output();
  }

  /** Bytes in memory; undefined where the process is gone. */
  rssBytes(): number | undefined {
    try {
      const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.process.pid}/status`, 'utf8')) ?? [];
      return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
    } catch {
      return undefined;
    }
  }

  private act(what: string): void {
    this.parts.history.add({ kind: 'action', what: `${what} replica ${this.index}` });
  }

  private watchMemory(): void {
    const timer = setInterval(() => {
      const rssBytes = this.alive ? this.rssBytes() : undefined;
      if (rssBytes === undefined) clearInterval(timer);
      else this.parts.history.add({ kind: 'memory', replica: this.index, rssBytes });
    }, MEMORY_EVERY_MS);
    timer.unref();
    void this.process.exited.then(() => clearInterval(timer));
  }

  private async fetch(
    method: string,
    path: string,
    { body, adminKey }: { body: object | string | undefined; adminKey: string },
  ): Promise<AdminAnswer> {
    const type = typeof body === 'string' ? 'application/x-ndjson' : 'application/json';
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${adminKey}`, ...(body === undefined ? {} : { 'Content-Type': type }) },
      signal: AbortSignal.timeout(CALL_DEADLINE_MS),
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  }
}

import { join } from 'node:path';
import { stopLeftoverPostgres } from '../database/embedded-postgres';
import { errorMessage } from '../shared/error-code';
import { SANDBOX_AMLYZE, SimulatorControl } from '../simulators';
import { AdminApi } from './admin-api';
import { Child, ChildEnded } from './child';
import type { SandboxFolder } from './folder';
import { startOnPort } from './ports';

const DIST = join(__dirname, '..');
const SIMULATOR_DEADLINE_MS = 30_000;
/** A first start makes the database; on a busy machine that takes a while. */
const GATEWAY_DEADLINE_MS = 120_000;
/** A gateway that ends more often than this is not started again. */
const MAX_RESTARTS_A_MINUTE = 5;

/** What a person may want to turn in the sandbox's gateway; everything else is the sandbox's own. */
const PASSED_ON = [
  'AMLYZE_BATCH_SIZE',
  'AMLYZE_CONCURRENCY',
  'LEASE_SECONDS',
  'LOG_LEVEL',
  'POLL_INTERVAL_MS',
  'SYNC_CONCURRENCY',
  'SYNC_CRON',
];

export const SIMULATORS = { mypos: 4001, onesingleview: 4002, amlyze: 4003 } as const;
export type SimulatorName = keyof typeof SIMULATORS;
export type Simulators = Readonly<Record<SimulatorName, SimulatorControl>>;

/** The processes of the sandbox: started, watched, and ended whatever happens. */
export class Processes {
  private readonly children = new Set<Child>();
  private readonly restarts: number[] = [];
  private ending = false;
  private fail: (problem: Error) => void = () => undefined;
  /** Rejects when a process is gone that cannot be brought back. */
  readonly failed = new Promise<never>((_resolve, reject) => (this.fail = reject));

  constructor(
    private readonly folder: SandboxFolder,
    private readonly adminKey: string,
    private readonly say: (text: string) => void,
  ) {
    this.failed.catch(() => undefined);
  }

  async startSimulators(): Promise<Simulators> {
    const [mypos, onesingleview, amlyze] = await Promise.all([
      this.startSimulator('mypos'),
      this.startSimulator('onesingleview'),
      this.startSimulator('amlyze'),
    ]);
    return { mypos, onesingleview, amlyze };
  }

  /** The gateway as an operator starts it, on a Postgres of its own. Killed later on, it is started again. */
  async startGateway(amlyzeUrl: string): Promise<AdminApi> {
    return startOnPort(3000, async (port) => {
      const api = new AdminApi(`http://127.0.0.1:${port}`, this.adminKey);
      await this.runGateway(api, this.gatewayEnvironment(port, amlyzeUrl));
      return api;
    });
  }

  /** Ends everything: the gateway first, so that it can bring its work to an end with the others still there. */
  async end(): Promise<void> {
    this.ending = true;
    for (const child of [...this.children].reverse()) await child.end();
    // Only there where the gateway was killed, or ended in the middle of its start.
    await stopLeftoverPostgres(this.folder.path).catch((error: unknown) => this.say(errorMessage(error)));
  }

  private async startSimulator(name: SimulatorName): Promise<SimulatorControl> {
    return startOnPort(SIMULATORS[name], async (port) => {
      const child = this.start({
        title: `the simulator of ${name}`,
        file: join(DIST, 'simulators', 'main.js'),
        args: [name, '--port', String(port)],
        env: this.environment(),
        logFile: this.folder.file(`simulator-${name}.log`),
      });
      const url = await child.until(() => urlIn(child.output(), port), SIMULATOR_DEADLINE_MS);
      void child.ended.then(() => this.ending || this.fail(child.problem()));
      return new SimulatorControl(url);
    });
  }

  private async runGateway(api: AdminApi, env: NodeJS.ProcessEnv): Promise<void> {
    const child = this.start({
      title: 'the gateway',
      file: join(DIST, 'main.js'),
      args: [],
      env,
      logFile: this.folder.file('gateway.log'),
    });
    await child.until(async () => ((await api.answers()) ? true : undefined), GATEWAY_DEADLINE_MS);
    void child.ended.then((how) => {
      if (this.ending) return;
      this.restarts.push(Date.now());
      if (this.restarts.filter((at) => at > Date.now() - 60_000).length > MAX_RESTARTS_A_MINUTE)
        this.fail(child.problem());
      else void this.restartGateway(how, api, env);
    });
  }

  private async restartGateway(how: string, api: AdminApi, env: NodeJS.ProcessEnv): Promise<void> {
    this.say(`The gateway ended (${how}); starting it again.`);
    const beganAt = performance.now();
    try {
      await this.runGateway(api, env);
      const seconds = ((performance.now() - beganAt) / 1000).toFixed(1);
      this.say(`The gateway answers again after ${seconds} s and goes on with its work.`);
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private start(program: ConstructorParameters<typeof ChildEnded>[0]): Child {
    if (this.ending) throw new Error('the sandbox is ending');
    const child = Child.start(program);
    this.children.add(child);
    void child.ended.then(() => this.children.delete(child));
    this.folder.note(child.pid);
    return child;
  }

  private gatewayEnvironment(port: number, amlyzeUrl: string): NodeJS.ProcessEnv {
    return {
      ...this.environment(),
      ...passOn(PASSED_ON),
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: this.folder.path,
      ADMIN_API_KEY: this.adminKey,
      AMLYZE_BASE_URL: amlyzeUrl,
      AMLYZE_TOKEN: SANDBOX_AMLYZE.token,
      ALLOW_PRIVATE_ADDRESSES: 'true',
      OPERATIONS_IMPORT: 'without-monitoring',
    };
  }

  /** Nothing of the caller's configuration: the sandbox is the same everywhere. */
  private environment(): NodeJS.ProcessEnv {
    return passOn(['PATH', 'HOME', 'TMPDIR', 'LANG']);
  }
}

/** A simulator says as one JSON line where it listens. */
function urlIn(output: string, port: number): string | undefined {
  return new RegExp(`"url":"(http://[^"]+:${port})"`).exec(output)?.[1];
}

function passOn(names: readonly string[]): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const name of names) if (process.env[name] !== undefined) env[name] = process.env[name];
  return env;
}

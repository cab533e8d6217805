import { join } from 'node:path';
import { Client } from 'pg';
import { OnMachine, startMachine, stopMachine, type Machine } from '../../test/faults/rig/machine';
import { withClient } from '../../test/faults/rig/postgres-server';
import { BenchGateway, newInstallation, type Installation } from './gateway';
import { ReferenceProcess, type ReferenceName } from './reference-process';

/**
 * One Postgres and the simulators for a whole run, nothing between them and the gateway. All processes and folders go
 * when this process ends, however it ends.
 */
export class BenchRig extends OnMachine {
  private started = 0;
  private readonly running = new Set<{ stop(): Promise<void> }>();

  private constructor(machine: Machine) {
    super(machine);
  }

  static async open(): Promise<BenchRig> {
    return new BenchRig(await startMachine({ name: 'bench', compiler: 'tsc' }));
  }

  /** A migrated, empty database with keys of its own. */
  async install(): Promise<Installation> {
    return newInstallation(await this.postgres.createDatabase());
  }

  /** A copy of a database that nobody is connected to, as another installation with the same keys. */
  async copy(original: Installation): Promise<Installation> {
    const source = new URL(original.databaseUrl);
    const copy = new URL(original.databaseUrl);
    copy.pathname = `${source.pathname}_copy_${this.nextNumber()}`;
    const sql = `create database ${copy.pathname.slice(1)} template ${source.pathname.slice(1)}`;
    await withClient(withPath(source, '/postgres'), (client) => client.query(sql));
    await withClient(copy.href, (client) => client.query('update installation set id = default'));
    return { ...original, databaseUrl: copy.href };
  }

  async drop(installation: Installation): Promise<void> {
    await this.postgres.dropDatabase(installation.databaseUrl);
  }

  async startGateway(installation: Installation, env: Readonly<Record<string, string>> = {}): Promise<BenchGateway> {
    const { build, guardian } = this;
    const logFile = join(this.folder, `gateway-${this.nextNumber()}.log`);
    const amlyzeUrl = this.peers.amlyze.control.url;
    const gateway = await BenchGateway.start({ build, guardian, installation, amlyzeUrl, logFile, env });
    this.running.add(gateway);
    return gateway;
  }

  async startReference(name: ReferenceName, installation?: Installation): Promise<ReferenceProcess> {
    const { guardian, peers } = this;
    const reference = await ReferenceProcess.start(name, {
      guardian,
      logFile: join(this.folder, `${name}-${this.nextNumber()}.log`),
      settings: {
        bankUrl: peers.mypos.control.url,
        amlyzeUrl: peers.amlyze.control.url,
        databaseUrl: installation?.databaseUrl ?? '',
      },
    });
    this.running.add(reference);
    return reference;
  }

  /** A session of the bench's own; whoever asked for it ends it. */
  async session({ databaseUrl }: Installation): Promise<Client> {
    const client = new Client({ connectionString: databaseUrl });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** Ends what the last measure started and makes the simulators as new; databases stay. */
  async clear(): Promise<void> {
    await Promise.all([...this.running].map((each) => each.stop()));
    this.running.clear();
    for (const { control } of Object.values(this.peers)) {
      await control.reset();
      await control.call('DELETE', 'capacity');
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.running].map((each) => each.stop()));
    await stopMachine(this);
  }

  private nextNumber(): number {
    this.started += 1;
    return this.started;
  }
}

function withPath(url: URL, path: string): string {
  const other = new URL(url);
  other.pathname = path;
  return other.href;
}

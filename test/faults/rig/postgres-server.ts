import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Client } from 'pg';
import { openDataSource } from '../../../src/database/data-source';
import { openCluster, type Cluster } from '../../../src/database/embedded/cluster';
import { signalPostmaster } from '../../../src/database/embedded/postmaster';
import { reachServer, urlOf } from '../../../src/database/embedded/reach-server';
import { migrate } from '../../../src/database/migrations';
import { eventually } from '../../support/eventually';
import { birthOf } from './birth';
import type { Guardian } from './guardian';

const TEMPLATE = 'template_migrated';

/** A Postgres that can be killed, stopped in mid-flight and started again on its port; durability settings are Postgres' own. */
export class PostgresServer {
  private made = 0;

  private constructor(
    private readonly cluster: Cluster,
    private readonly port: number,
    private readonly guardian: Guardian,
    private postmaster: number,
  ) {
    guardian.note(postmaster);
  }

  /** @param dataDir an empty folder that an unprivileged user can reach (mode 711), or one that a server was stopped on */
  static async start(dataDir: string, guardian: Guardian): Promise<PostgresServer> {
    const cluster = await openCluster(dataDir);
    const { server } = await reachServer(cluster);
    const postgres = new PostgresServer(cluster, server.port, guardian, server.pid);
    await postgres.makeTemplate();
    return postgres;
  }

  get dataDir(): string {
    return this.cluster.dir;
  }

  get pid(): number {
    return this.postmaster;
  }

  /** A migrated, empty database of its own; its URL. */
  async createDatabase(): Promise<string> {
    this.made += 1;
    const name = `world_${this.made}`;
    await this.administer(`create database ${name} template ${TEMPLATE}`);
    const url = urlOf(this.cluster, this.port, name);
    // A clone would be the same installation, with the same communication numbers, as all others.
    await withClient(url, (client) =>
      client.query('update installation set id = default, created_at = clock_timestamp()'),
    );
    return url;
  }

  async dropDatabase(url: string): Promise<void> {
    await this.administer(`drop database if exists ${new URL(url).pathname.slice(1)} with (force)`);
  }

  /** SIGINT ends it in good order, SIGQUIT at once without a checkpoint, SIGKILL as a crash of the machine's kernel would. */
  async stop(signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL' = 'SIGINT'): Promise<void> {
    const members = this.processes().map((pid) => ({ pid, birth: birthOf(pid) }));
    const living = (): number[] =>
      members.flatMap(({ pid, birth }) => (birth !== undefined && birthOf(pid) === birth ? [pid] : []));
    const ended = (): Promise<unknown> => eventually('Postgres has ended', async () => living().length === 0, 15_000);
    if (signal === 'SIGKILL') for (const pid of living()) tryKill(pid, 'SIGKILL');
    else signalPostmaster(this.postmaster, signal);
    await ended().catch(() => {
      // A shutdown in good order can wait for ever, for a recovery say; the suite must not.
      for (const pid of living()) tryKill(pid, 'SIGKILL');
      return ended();
    });
    this.guardian.forget(this.postmaster);
  }

  /** On the port and the data of before. */
  async startAgain(): Promise<void> {
    const { server } = await reachServer(this.cluster, this.port);
    this.postmaster = server.pid;
    this.guardian.note(server.pid);
  }

  /** The postmaster and its children; Linux only. */
  processes(): number[] {
    const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === this.postmaster);
    return [this.postmaster, ...children.map(Number)];
  }

  /** Everything stands still, connections stay open: a machine that hangs. */
  pause(): void {
    for (const pid of this.processes()) tryKill(pid, 'SIGSTOP');
  }

  resume(): void {
    for (const pid of this.processes()) tryKill(pid, 'SIGCONT');
  }

  /** Process ids of sessions of a database, newest first, for killing one. */
  async sessions(url: string): Promise<number[]> {
    return withClient(urlOf(this.cluster, this.port, 'postgres'), async (client) => {
      const { rows } = await client.query<{ pid: number }>(
        'select pid from pg_stat_activity where datname = $1 order by backend_start desc',
        [new URL(url).pathname.slice(1)],
      );
      return rows.map((row) => row.pid);
    });
  }

  private async makeTemplate(): Promise<void> {
    await this.administer(`create database ${TEMPLATE}`).catch((error: unknown) => {
      if (!String(error).includes('already exists')) throw error;
    });
    const dataSource = await openDataSource({
      url: urlOf(this.cluster, this.port, TEMPLATE),
      applicationName: 'faults',
    });
    await migrate(dataSource);
    await dataSource.destroy();
  }

  private async administer(sql: string): Promise<void> {
    await withClient(urlOf(this.cluster, this.port, 'postgres'), (client) => client.query(sql));
  }
}

/** One session, closed again whatever happens. */
export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  // A server that goes away in between is what the query's own error tells.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function parentOf(pid: string): number {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return 0;
  try {
    return Number(/\) \S (\d+)/.exec(readFileSync(file, 'utf8'))?.[1]);
  } catch {
    return 0;
  }
}

function tryKill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone meanwhile.
  }
}

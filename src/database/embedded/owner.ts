import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from 'pg';
import { StartProblem } from '../../shared/start-problem';
import type { Cluster } from './cluster';
import type { Postmaster } from './postmaster';
import { clientOf, reachServer } from './reach-server';

/** Held in the server for as long as a gateway lives that uses it. */
const OWNER_LOCK = 7_204_318_002;
/** The server notices the death of a gateway, and frees its lock, within this time. */
const OWNER_DEADLINE_MS = 3_000;
const RETRY_MS = 250;

/**
 * The session that proves a living gateway. Postgres ends every session when one of its processes crashes, so a lost one is
 * taken again, and a server that died is started again on its port: nobody else would.
 */
export class Owner {
  private stopped = false;

  private constructor(
    private readonly cluster: Cluster,
    private current: Postmaster,
    private session: Client,
  ) {
    this.watch();
  }

  /** @throws StartProblem where another living gateway holds the lock */
  static async become(cluster: Cluster, server: Postmaster): Promise<Owner> {
    return new Owner(cluster, server, await takeLock(cluster, server.port));
  }

  get server(): Postmaster {
    return this.current;
  }

  async createDatabase(name: string): Promise<void> {
    const { rowCount } = await this.session.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 0) await this.session.query(`create database ${name}`);
  }

  /** Gives the lock back; a server that dies from now on stays dead. */
  async release(): Promise<void> {
    this.stopped = true;
    await this.session.end().catch(() => undefined);
  }

  private watch(): void {
    this.session.on('error', () => undefined);
    this.session.once('end', () => {
      if (!this.stopped) void this.restore();
    });
  }

  private async restore(): Promise<void> {
    while (!this.stopped) {
      try {
        const { server } = await reachServer(this.cluster, this.current.port);
        this.current = server;
        this.session = await takeLock(this.cluster, server.port);
        this.watch();
        return;
      } catch {
        await wait(RETRY_MS);
      }
    }
  }
}

async function takeLock(cluster: Cluster, port: number): Promise<Client> {
  const client = clientOf(cluster, port);
  client.on('error', () => undefined);
  await client.connect();
  for (const end = Date.now() + OWNER_DEADLINE_MS; Date.now() < end; await wait(RETRY_MS / 5)) {
    const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [OWNER_LOCK]);
    if (rows[0]?.got === true) return client;
  }
  await client.end();
  throw new StartProblem([
    `DATA_DIR: another gateway is running on ${cluster.root}; stop it, or give this one another DATA_DIR`,
  ]);
}

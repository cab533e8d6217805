import { createServer } from 'node:net';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { classifyDatabaseFailure } from '../shared/database-failure';
import { errorMessage } from '../shared/error-code';
import { StartProblem } from '../shared/start-problem';
import { openCluster, SUPERUSER, type Cluster } from './embedded/cluster';
import { isPostmasterAlive, readPostmaster, requestStop, spawnPostmaster } from './embedded/postmaster';

export interface EmbeddedPostgres {
  /** Of the gateway's database. */
  url: string;
  pid: number;
  /** The server of a gateway that died was still there and was taken over. */
  adopted: boolean;
  /** Ends the server and waits for it. */
  stop(): Promise<void>;
}

/** Held by the gateway that uses the folder, for as long as it lives. */
const OWNER_LOCK = 7_204_318_002;
const DATABASE = 'gateway';
const START_DEADLINE_MS = 15_000;
/** A server that is up may be replaying its log after a crash. */
const RECOVERY_DEADLINE_MS = 120_000;
/** The server notices the death of a gateway, and frees its lock, within this time. */
const OWNER_DEADLINE_MS = 3_000;
const POLL_MS = 40;

/** Starts Postgres in `dataDir`, or takes over the one that a killed gateway left there. */
export async function startEmbeddedPostgres(options: { dataDir: string }): Promise<EmbeddedPostgres> {
  const cluster = await openCluster(options.dataDir);
  const { server, adopted } = await reach(cluster);
  const owner = await becomeOwner(cluster, server.port, options.dataDir);
  await createDatabase(owner);
  const endAtExit = (): void => requestStop(server.pid);
  process.once('exit', endAtExit);
  return {
    url: urlOf(cluster, server.port, DATABASE),
    pid: server.pid,
    adopted,
    stop: async () => {
      process.off('exit', endAtExit);
      await owner.end().catch(() => undefined);
      requestStop(server.pid);
      await until(START_DEADLINE_MS, () => !isPostmasterAlive(server.pid));
    },
  };
}

interface Server {
  pid: number;
  port: number;
}

/** Ends with a server that answers: the one that runs already, or a new one. */
async function reach(cluster: Cluster): Promise<{ server: Server; adopted: boolean }> {
  let deadline = Date.now() + START_DEADLINE_MS;
  let ours: number | undefined;
  for (;;) {
    const running = readPostmaster(cluster.dir);
    if (running && isPostmasterAlive(running.pid)) {
      const failure = await probe(cluster, running.port);
      if (failure === undefined) return { server: running, adopted: running.pid !== ours };
      if (failure === 'starting') deadline = Math.max(deadline, Date.now() + RECOVERY_DEADLINE_MS);
    } else if (ours === undefined || !isPostmasterAlive(ours)) {
      ours = spawnPostmaster(cluster, await freePort()).pid;
    }
    if (Date.now() > deadline) throw new StartProblem([`DATA_DIR: Postgres does not start: ${lastLogLine(cluster)}`]);
    await wait(POLL_MS);
  }
}

async function probe(cluster: Cluster, port: number): Promise<'starting' | 'away' | undefined> {
  const client = clientOf(cluster, port);
  try {
    await client.connect();
    return undefined;
  } catch (error) {
    if (classifyDatabaseFailure(error) === 'other') throw error;
    return errorMessage(error).includes('starting up') ? 'starting' : 'away';
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function becomeOwner(cluster: Cluster, port: number, dataDir: string): Promise<Client> {
  const client = clientOf(cluster, port);
  client.on('error', () => undefined);
  await client.connect();
  const free = await until(OWNER_DEADLINE_MS, async () => {
    const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [OWNER_LOCK]);
    return rows[0]?.got === true;
  });
  if (free) return client;
  await client.end();
  throw new StartProblem([
    `DATA_DIR: another gateway is running on ${dataDir}; stop it, or give this one another DATA_DIR`,
  ]);
}

async function createDatabase(owner: Client): Promise<void> {
  const { rowCount } = await owner.query('select from pg_database where datname = $1', [DATABASE]);
  if (rowCount === 0) await owner.query(`create database ${DATABASE}`);
}

function clientOf(cluster: Cluster, port: number): Client {
  return new Client({
    connectionString: urlOf(cluster, port, 'postgres'),
    connectionTimeoutMillis: 2_000,
    keepAlive: true,
  });
}

function urlOf(cluster: Cluster, port: number, database: string): string {
  return `postgres://${SUPERUSER}:${cluster.password}@127.0.0.1:${String(port)}/${database}`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

async function until(limitMs: number, done: () => boolean | Promise<boolean>): Promise<boolean> {
  for (const end = Date.now() + limitMs; ;) {
    if (await done()) return true;
    if (Date.now() > end) return false;
    await wait(POLL_MS);
  }
}

function lastLogLine(cluster: Cluster): string {
  try {
    return readFileSync(cluster.logFile, 'utf8').trim().split('\n').slice(-2).join(' ');
  } catch {
    return 'it wrote no log';
  }
}

import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { errorCode, errorMessage } from '../../shared/error-code';
import { StartProblem } from '../../shared/start-problem';
import { SUPERUSER, causeIn, type Cluster } from './cluster';
import { findPostmaster, isAlive, signalPostmaster, spawnPostmaster, type Postmaster } from './postmaster';

/** A server that is ending, or whose last processes still hold its memory, is waited for this long. */
const START_DEADLINE_MS = 15_000;
/** A server that replays its log after a crash is given this long. */
const RECOVERY_DEADLINE_MS = 120_000;
const POLL_MS = 40;

/** Why a start may fail now and succeed soon: leftovers of a killed server, a port that somebody else was quicker to take. */
const PASSING =
  /shared memory block|lock file "postmaster\.pid"|could not (bind|create any TCP)|Address already in use/;

export interface Reached {
  server: Postmaster;
  /** It was running already. */
  adopted: boolean;
}

/** Ends with a server that answers: the one that runs on the folder, or a new one, on `port` or a free one. */
export async function reachServer(cluster: Cluster, port?: number): Promise<Reached> {
  let deadline = Date.now() + START_DEADLINE_MS;
  let spawned = 0;
  // What was started here and is not handed on must not outlive a start that is refused or broken off.
  const endSpawned = (): void => {
    if (spawned !== 0) signalPostmaster(spawned, 'SIGINT');
  };
  process.once('exit', endSpawned);
  try {
    for (;;) {
      const running = findPostmaster(cluster.dir);
      if (running) {
        const state = await probe(cluster, running.port);
        if (state === 'ready') return { server: running, adopted: running.pid !== spawned };
        if (state === 'starting') deadline = Math.max(deadline, Date.now() + RECOVERY_DEADLINE_MS);
      } else if (spawned === 0 || !isAlive(spawned)) {
        if (spawned !== 0 && !PASSING.test(logOf(cluster))) throw notStarting(cluster);
        spawned = spawnPostmaster(cluster, port ?? (await freePort()));
      }
      if (Date.now() > deadline) throw notStarting(cluster);
      await wait(POLL_MS);
    }
  } catch (error) {
    endSpawned();
    throw error;
  } finally {
    process.off('exit', endSpawned);
  }
}

export function clientOf(cluster: Cluster, port: number): Client {
  const connectionString = urlOf(cluster, port, 'postgres');
  return new Client({ connectionString, connectionTimeoutMillis: 2_000, query_timeout: 5_000, keepAlive: true });
}

export function urlOf(cluster: Cluster, port: number, database: string): string {
  return `postgres://${SUPERUSER}:${cluster.password}@127.0.0.1:${String(port)}/${database}`;
}

async function probe(cluster: Cluster, port: number): Promise<'ready' | 'starting' | 'away'> {
  const client = clientOf(cluster, port);
  // Without a listener a reset between connect and end would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return 'ready';
  } catch (error) {
    if (errorCode(error).startsWith('28')) {
      throw new StartProblem(['DATA_DIR: the password in postgres-password is not the one of its database'], {
        cause: error,
      });
    }
    return errorMessage(error).includes('starting up') ? 'starting' : 'away';
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('a listening server has no port');
  return address.port;
}

function notStarting(cluster: Cluster): StartProblem {
  const reason = causeIn(logOf(cluster));
  return new StartProblem([`DATA_DIR: its Postgres does not start: ${reason || `see ${cluster.logFile}`}`]);
}

function logOf(cluster: Cluster): string {
  try {
    return readFileSync(cluster.logFile, 'utf8').slice(-4_000);
  } catch {
    return '';
  }
}

import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openCluster } from './embedded/cluster';
import { Owner } from './embedded/owner';
import { findPostmaster, isAlive, signalPostmaster, type Postmaster } from './embedded/postmaster';
import { reachServer, urlOf } from './embedded/reach-server';

export interface EmbeddedPostgres {
  /** Of the gateway's database; the port stays the same until stop(). */
  url: string;
  /** The server of a gateway that died was still there and was taken over. */
  adopted: boolean;
  /** Ends the server and waits for it. */
  stop(): Promise<void>;
}

const DATABASE = 'gateway';
/** Fast shutdown takes milliseconds; past this time recovery at the next start is the lesser evil. */
const STOP_DEADLINE_MS = 5_000;
const POLL_MS = 20;

/**
 * Starts Postgres in `dataDir`, or takes over the one that a killed gateway left there.
 * @throws StartProblem where the folder cannot be used, or another living gateway uses it
 */
export async function startEmbeddedPostgres(options: { dataDir: string }): Promise<EmbeddedPostgres> {
  const cluster = await openCluster(options.dataDir);
  const { server, adopted } = await reachServer(cluster);
  // Without this a start that is broken off or fails later on, or an uncaught error, would leave the server running. One that was
  // found running may be another gateway's until the lock is held.
  let ours = (): Postmaster | undefined => (adopted ? undefined : server);
  const endAtExit = (): void => {
    const ending = ours();
    if (ending) signalPostmaster(ending.pid, 'SIGINT');
  };
  process.once('exit', endAtExit);
  const owner = await Owner.become(cluster, server).catch((error: unknown) => {
    process.off('exit', endAtExit);
    throw error;
  });
  ours = () => owner.server;
  const stop = async (): Promise<void> => {
    process.off('exit', endAtExit);
    await owner.release();
    await stopServer(owner.server.pid);
  };
  try {
    await owner.createDatabase(DATABASE);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: urlOf(cluster, server.port, DATABASE), adopted, stop };
}

/**
 * Ends a server that a killed gateway left on `dataDir`, so that the folder can be removed.
 * @throws StartProblem where a living gateway uses it
 */
export async function stopLeftoverPostgres(dataDir: string): Promise<void> {
  if (!findPostmaster(join(resolve(dataDir), 'postgres'))) return;
  const adopted = await startEmbeddedPostgres({ dataDir });
  await adopted.stop();
}

async function stopServer(pid: number): Promise<void> {
  signalPostmaster(pid, 'SIGINT');
  const patience = Date.now() + STOP_DEADLINE_MS;
  let urged = false;
  while (isAlive(pid)) {
    if (!urged && Date.now() > patience) {
      signalPostmaster(pid, 'SIGQUIT');
      urged = true;
    }
    if (Date.now() > patience + STOP_DEADLINE_MS) return;
    await wait(POLL_MS);
  }
}

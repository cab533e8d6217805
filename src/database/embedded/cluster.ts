import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { errorCode } from '../../shared/error-code';
import { makePrivateFolder, readOrCreatePrivateFile } from '../../shared/private-files';
import { StartProblem } from '../../shared/start-problem';
import { findBinaries, type PostgresBinaries } from './binaries';
import { assertReachable, chooseSystemUser, type SystemUser } from './system-user';

/** A data folder that is ready for a server: initialised, reachable, with its password. */
export interface Cluster {
  /** DATA_DIR, absolute. */
  root: string;
  dir: string;
  logFile: string;
  password: string;
  binaries: PostgresBinaries;
  processOptions: { uid?: number; gid?: number; cwd: string; env: NodeJS.ProcessEnv };
}

export const SUPERUSER = 'postgres';

/** Prepares DATA_DIR and makes the cluster where there is none. */
export async function openCluster(dataDir: string): Promise<Cluster> {
  const root = resolve(dataDir);
  const dir = join(root, 'postgres');
  const binaries = findBinaries();
  try {
    makePrivateFolder(root);
  } catch (cause) {
    throw new StartProblem([`DATA_DIR: ${root} cannot be made (${errorCode(cause)})`], { cause });
  }
  const user = chooseSystemUser(dir);
  if (user) {
    // Others may pass through, not list; every file in it has its own mode.
    try {
      chmodSync(root, 0o711);
    } catch (cause) {
      throw new StartProblem([`DATA_DIR: ${root} cannot be used (${errorCode(cause)})`], { cause });
    }
    assertReachable(root, user, 'DATA_DIR');
    assertReachable(binaries.postgres, user, 'node_modules');
  }
  const passwordFile = join(root, 'postgres-password');
  const cluster: Cluster = {
    root,
    dir,
    logFile: join(root, 'postgres.log'),
    password: readOrCreatePassword(passwordFile, user),
    binaries,
    processOptions: {
      ...(user ? { uid: user.uid, gid: user.gid } : {}),
      cwd: '/',
      // Nothing of the gateway's environment, which holds tokens and keys.
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    },
  };
  if (!existsSync(join(dir, 'PG_VERSION'))) await initialise(cluster, passwordFile, user);
  return cluster;
}

/** As root the file belongs to the server's user, because initdb reads it; root reads it all the same. */
function readOrCreatePassword(file: string, user: SystemUser | undefined): string {
  try {
    const { text } = readOrCreatePrivateFile(file, () => randomBytes(24).toString('base64url'));
    if (user) chownSync(file, user.uid, user.gid);
    // The driver would wait for ever with an empty one.
    if (text.trim() !== '') return text;
  } catch (cause) {
    throw new StartProblem([`DATA_DIR: ${file} cannot be used (${errorCode(cause)})`], { cause });
  }
  throw new StartProblem([`DATA_DIR: ${file} is empty; put back the password that it held`]);
}

/** initdb works in a folder beside and is renamed when complete, so that a killed first start leaves no half cluster. */
async function initialise(cluster: Cluster, passwordFile: string, user: SystemUser | undefined): Promise<void> {
  const draft = `${cluster.dir}.${String(process.pid)}`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  if (user) chownSync(draft, user.uid, user.gid);
  try {
    await runInitdb(cluster, draft, passwordFile);
    renameSync(draft, cluster.dir);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // Another gateway was first; which of the two goes on is decided at the lock.
    if (existsSync(join(cluster.dir, 'PG_VERSION'))) return;
    if (errorCode(error) !== 'ENOTEMPTY') throw error;
    throw new StartProblem(
      [`DATA_DIR: ${cluster.dir} holds files of something else; move them away, or use another DATA_DIR`],
      { cause: error },
    );
  }
}

async function runInitdb(cluster: Cluster, draft: string, passwordFile: string): Promise<void> {
  const args = [
    `--pgdata=${draft}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // Postgres's own collation: the same order on every system, and no locale of the machine is needed.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
  ];
  const child = spawn(cluster.binaries.initdb, args, {
    ...cluster.processOptions,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // A start that is broken off; initdb then takes away what it has made so far.
  const endInitdb = (): void => void child.kill('SIGTERM');
  process.once('exit', endInitdb);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-2000)));
  const code = await new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (exitCode, signal) => resolve(exitCode ?? signal ?? 'unknown'));
  });
  process.off('exit', endInitdb);
  if (code === 0) return;
  throw new StartProblem([`DATA_DIR: initdb failed (${String(code)}): ${causeIn(errors)}`]);
}

/** What Postgres says when something is wrong; to whoever looks whether it answers yet it says so that it does not. */
const CAUSE = /\b(FATAL|PANIC|error):(?!\s+the database system is )/;

/** Before the line with the cause may stand what it is about, and behind it how Postgres went down. */
export function causeIn(log: string): string {
  const lines = log.trim().split('\n');
  const cause = lines.findLastIndex((line) => CAUSE.test(line));
  return lines
    .slice(cause === -1 ? -3 : Math.max(0, cause - 1))
    .slice(0, 3)
    .join(' ')
    .replace(/\s+/g, ' ');
}

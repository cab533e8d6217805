import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { StartProblem } from '../../shared/start-problem';

/** Whom Postgres runs as; undefined = whoever runs the gateway. */
export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
}

const ACCOUNT = 'postgres';

/**
 * Postgres refuses to run as root. A gateway that does runs it as the owner of an existing cluster, otherwise as the
 * user `postgres`, which is created where it is missing.
 */
export function chooseSystemUser(clusterDir: string): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  if (existsSync(clusterDir)) {
    const { uid, gid } = statSync(clusterDir);
    if (uid !== 0) return { name: findUser((user) => user.uid === uid)?.name ?? String(uid), uid, gid };
  }
  return findUser((user) => user.name === ACCOUNT) ?? createUser();
}

function findUser(matches: (user: SystemUser) => boolean): SystemUser | undefined {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .find(matches);
}

function createUser(): SystemUser {
  const attempts: [string, string[]][] = [
    ['useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/bin/false', ACCOUNT]],
    ['adduser', ['-S', '-D', '-H', '-s', '/bin/false', ACCOUNT]], // BusyBox
  ];
  for (const [command, args] of attempts) {
    try {
      execFileSync(command, args, { stdio: 'ignore' });
    } catch {
      continue;
    }
    const user = findUser(({ name }) => name === ACCOUNT);
    if (user) return user;
  }
  throw new StartProblem([
    `DATABASE_URL: Postgres does not run as root, and the user "${ACCOUNT}" could not be created; create it, run the gateway as another user, or set DATABASE_URL`,
  ]);
}

/** Ends the start with the first folder on the way to `path` that `user` cannot enter, and the command that opens it. */
export function assertReachable(path: string, user: SystemUser, variable: string): void {
  const blocking = findBlockingFolder(path, user);
  if (blocking === undefined) return;
  throw new StartProblem([
    `${variable}: Postgres runs as user "${user.name}" because root may not, and cannot enter ${blocking}; run chmod o+x ${blocking}, or use another folder`,
  ]);
}

export function findBlockingFolder(path: string, user: SystemUser): string | undefined {
  const folders: string[] = [];
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    folders.unshift(folder);
    if (folder === dirname(folder)) break;
  }
  return folders.find((folder) => existsSync(folder) && !mayEnter(statSync(folder), user));
}

/** Groups besides the main one and access lists are left aside: Postgres is started without them. */
function mayEnter(stats: Stats, user: SystemUser): boolean {
  if (!stats.isDirectory()) return true;
  const shift = stats.uid === user.uid ? 6 : stats.gid === user.gid ? 3 : 0;
  return ((stats.mode >> shift) & 1) === 1;
}

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buildGateway } from '../faults/rig/build';
import { ADMIN_KEY } from './admin-app';

export interface BuiltGateway {
  process: ChildProcessByStdio<null, Readable, Readable>;
  /** What it has printed so far. */
  printed: { stdout: string; stderr: string };
}

/**
 * The built gateway as a process of its own, on a free port, with no slot and no AMLYZE.
 *
 * @param variables in place of those that every start needs
 * @param before a command line that the gateway's own is put behind
 */
export function spawnBuiltGateway(
  databaseUrl: string,
  { variables = {}, before = [] }: { variables?: NodeJS.ProcessEnv; before?: readonly string[] } = {},
): BuiltGateway {
  const { dist, codeCache } = buildGateway('swc');
  const [command = process.execPath, ...args] = [...before, process.execPath, join(dist, 'main.js')];
  const env = {
    PATH: process.env['PATH'],
    NODE_COMPILE_CACHE: codeCache,
    PORT: '0',
    DATABASE_URL: databaseUrl,
    ADMIN_API_KEY: ADMIN_KEY,
    ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    AMLYZE_BASE_URL: 'http://127.0.0.1:9',
    AMLYZE_TOKEN: 'token-of-the-test',
    ALLOW_PRIVATE_ADDRESSES: 'true',
    SYNC_CRON: '0 0 29 2 *',
    ...variables,
  };
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text));
  return { process: child, printed };
}

import { execFileSync } from 'node:child_process';
import { withClient } from '../../test/faults/rig/postgres-server';
import type { BenchRig } from './bench-rig';
import type { Installation } from './gateway';

/** What makes a bulk load twice as fast. None of it is in force while anything is measured. */
const WHILE_LOADING = [
  `shared_buffers = '4GB'`,
  'fsync = off',
  'full_page_writes = off',
  'wal_level = minimal',
  'max_wal_senders = 0',
  'autovacuum = off',
];

/**
 * Does `load` on a server that may lose what it is told, and starts it again as it was. Afterwards everything is on the disk: a
 * measure must not wait for the writes of the load before it. No other session may be open.
 */
export async function asBulkLoad<T>(rig: BenchRig, { databaseUrl }: Installation, load: () => Promise<T>): Promise<T> {
  await withClient(databaseUrl, async (client) => {
    for (const setting of WHILE_LOADING) await client.query(`alter system set ${setting}`);
  });
  await restart(rig);
  const loaded = await load();
  await withClient(databaseUrl, (client) => client.query('alter system reset all'));
  await restart(rig);
  execFileSync('sync');
  return loaded;
}

async function restart({ postgres }: BenchRig): Promise<void> {
  // In good order, which writes down all that is in memory.
  await postgres.stop();
  await postgres.startAgain();
}

import { setTimeout as wait } from 'node:timers/promises';
import type { World } from './world';

const RECOVERY_DEADLINE_MS = 60_000;

/**
 * Kills one of the gateway's database sessions by -9. Postgres takes that for a sign of corrupted memory: it ends all sessions,
 * and recovers from its log as after a crash. Resolves when it is back.
 */
export async function killSession(world: World): Promise<void> {
  const [session] = await world.query<{ pid: number }>(
    `select pid from pg_stat_activity where datname = current_database() and application_name <> '' order by backend_start desc limit 1`,
  );
  if (!session) return;
  try {
    process.kill(session.pid, 'SIGKILL');
  } catch {
    return; // It has just ended, by another fault most likely: nothing was hurt.
  }
  // Another blow while it recovers would be another fault, and a Postgres that is told to stop then may never do so.
  for (const deadline = performance.now() + RECOVERY_DEADLINE_MS; ;) {
    await wait(100);
    const back = await world.query('select 1').catch(() => undefined);
    if (back) return;
    if (performance.now() > deadline) throw new Error('Postgres did not recover');
  }
}

import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from 'pg';
import type { SimulatorControl } from '../../src/simulators/control-client';
import type { BenchGateway } from './gateway';
import { nextLookMs } from './next-look';

const POLL_MS = 10;
const DEADLINE_MS = 300_000;

/** Where one can see that the work is done. */
export interface Witness {
  client: Client;
  amlyze: SimulatorControl;
}

export interface RoundFigures {
  balances: number;
  /** From the first claim until every record is accepted and logged. */
  seconds: number;
  cpuUsPerBalance: number;
}

/** Opens a run and waits until all of it is delivered. */
export async function gatewayRound(gateway: BenchGateway, witness: Witness, scope: object): Promise<RoundFigures> {
  const before = await ledgerEnd(witness.amlyze);
  const cpuBefore = gateway.cpuUs;
  const run = await gateway.ok('POST', '/admin/resync', scope);
  const doneMs = await delivered(witness, before + Number(run.accounts));
  const cpuAfter = gateway.cpuUs;
  const { rows } = await witness.client.query<{ balances: number; began_ms: number }>(
    `select (select count(*)::int from record_with_state where run_id = $1 and state = 'accepted') as balances,
  (select extract(epoch from min(read_at)) * 1000 from access_ledger where read_at >= (select started_at from sync_run where id = $1))::float8 as began_ms`,
    [run.runId],
  );
  const { balances = 0, began_ms: beganMs = 0 } = rows[0] ?? {};
  if (balances !== run.accounts) throw new Error(`${balances} of ${run.accounts} balances were accepted`);
  return { balances, seconds: (doneMs - beganMs) / 1000, cpuUsPerBalance: (cpuAfter - cpuBefore) / balances };
}

/** How many records AMLYZE has accepted so far. */
export async function ledgerEnd(amlyze: SimulatorControl): Promise<number> {
  return Number((await amlyze.call('GET', 'ledger?limit=1&offset=999999999'))['total']);
}

/**
 * When AMLYZE has that many records and every run is finished and nothing pending or under way. AMLYZE is asked first,
 * because many looks at a busy table would be a load of their own. Everything is on this machine, so
 * clocks agree.
 */
export async function delivered({ client, amlyze }: Witness, records: number): Promise<number> {
  const beganMs = Date.now();
  const again = async (waitMs: number): Promise<void> => {
    if (Date.now() > beganMs + DEADLINE_MS) throw new Error(`not delivered within ${DEADLINE_MS / 1000} s`);
    await wait(waitMs);
  };
  const first = await ledgerEnd(amlyze);
  for (let seen = first; seen < records; seen = await ledgerEnd(amlyze)) {
    await again(nextLookMs({ done: seen - first, all: records - first, elapsedMs: Date.now() - beganMs }));
  }
  for (const open of [
    'select 1 from sync_run where finished_at is null limit 1',
    `select 1 from record_state where standing = 'open' limit 1`,
  ]) {
    while ((await client.query(open)).rowCount !== 0) await again(POLL_MS);
  }
  return Date.now();
}

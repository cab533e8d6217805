import type { Client } from 'pg';
import type { BenchGateway } from './gateway';

/** Often enough for a figure of one second, seldom enough not to be part of the load. */
const POLL_MS = 10;
const DEADLINE_MS = 300_000;

export interface RoundFigures {
  balances: number;
  /** From the first claim until every record is accepted and logged. */
  seconds: number;
  cpuUsPerBalance: number;
}

/** Opens a run and waits until all of it is delivered. */
export async function gatewayRound(gateway: BenchGateway, client: Client, scope: object): Promise<RoundFigures> {
  const cpuBefore = gateway.cpuUs;
  const run = await gateway.ok('POST', '/admin/resync', scope);
  const doneMs = await delivered(client);
  const cpuAfter = gateway.cpuUs;
  const { rows } = await client.query<{ balances: number; began_ms: number }>(
    `select (select count(*)::int from amlyze_record where run_id = $1 and state = 'accepted') as balances,
  (select extract(epoch from min(read_at)) * 1000 from access_ledger where read_at >= (select started_at from sync_run where id = $1))::float8 as began_ms`,
    [run.runId],
  );
  const { balances = 0, began_ms: beganMs = 0 } = rows[0] ?? {};
  if (balances !== run.accounts) throw new Error(`${balances} of ${run.accounts} balances were accepted`);
  return { balances, seconds: (doneMs - beganMs) / 1000, cpuUsPerBalance: (cpuAfter - cpuBefore) / balances };
}

/** When every run is finished and nothing is pending or under way. The database is on this machine, so clocks agree. */
export async function delivered(client: Client): Promise<number> {
  const open = [
    // In this order: the first is a look at a row, the others at what a partial index leaves.
    'select 1 from sync_run where finished_at is null limit 1',
    `select 1 from amlyze_record where state = 'pending' limit 1`,
    `select 1 from amlyze_record where state = 'sending' limit 1`,
  ];
  const deadlineMs = Date.now() + DEADLINE_MS;
  for (const question of open) {
    while ((await client.query(question)).rowCount !== 0) {
      if (Date.now() > deadlineMs) throw new Error(`not delivered within ${DEADLINE_MS / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
  return Date.now();
}

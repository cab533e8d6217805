import type { BenchRig } from './bench-rig';
import type { BenchGateway } from './gateway';
import { gatewayRound, type Witness } from './gateway-round';

export const READ_MS = 200;
/** SYNC_CONCURRENCY as it is by default: reads in flight of one replica. */
const READS_IN_FLIGHT = 32;

/** What one replica can read in a second where every read takes that long. */
export const PERMITTED_PER_SECOND = READS_IN_FLIGHT / (READ_MS / 1000);

/** Accounts that keep so many replicas busy for so many seconds. */
export function accountsFor(replicas: number, seconds: number): number {
  return replicas * seconds * PERMITTED_PER_SECOND;
}

/** From now on the bank takes its time for every answer. */
export async function slowDown(rig: BenchRig): Promise<void> {
  await rig.peers.mypos.control.addFault({ do: { kind: 'latency', ms: READ_MS } });
}

/** Balances per second of one round over the first `accounts` accounts. */
export async function slowRate(gateway: BenchGateway, witness: Witness, accounts: number): Promise<number> {
  const { rows } = await witness.client.query<{ id: string }>('select id::text from account order by id limit $1', [
    accounts,
  ]);
  const { balances, seconds } = await gatewayRound(gateway, witness, { accountIds: rows.map(({ id }) => id) });
  return balances / seconds;
}

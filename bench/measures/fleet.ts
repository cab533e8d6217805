import type { Client } from 'pg';
import { eventually } from '../../test/support/eventually';
import type { BenchRig } from '../rig/bench-rig';
import { makeFleet } from '../rig/fleet';
import type { Installation } from '../rig/gateway';
import { delivered, ledgerEnd } from '../rig/gateway-round';
import { peakRss, type Measure } from './measure';

const SIZE = { registered: 1_000_000, due: 50_000 };
/** Long enough for a replica to be up before its slot. */
const AHEAD_MS = 4_000;
const OPEN_WITHIN_MS = 180_000;

interface Slot {
  first: number;
  last: number;
  delivered: number;
  peakMb: number;
}

/** A slot with a million accounts registered, of which fifty thousand can be read. */
export const fleet: Measure = {
  name: 'fleet',
  partOf: 'whole-run',
  async take(rig, options) {
    const installation = await makeFleet(rig, SIZE);
    const client = await rig.session(installation);
    const slots: Slot[] = [];
    for (let n = 0; n < (options.rounds ?? 3); n += 1) slots.push(await oneSlot(rig, installation, client));
    await client.end();
    return {
      voids: [],
      figures: [
        { name: 'slot to first reading', unit: 's', rounds: slots.map(({ first }) => first) },
        { name: 'slot to last reading', unit: 's', rounds: slots.map(({ last }) => last) },
        { name: 'slot to last record accepted', unit: 's', rounds: slots.map((slot) => slot.delivered) },
        peakRss(slots.map(({ peakMb }) => peakMb)),
      ],
    };
  },
};

/** A replica whose only slot comes in a moment; seconds from that slot on. */
async function oneSlot(rig: BenchRig, installation: Installation, client: Client): Promise<Slot> {
  const slot = new Date(Math.ceil((Date.now() + AHEAD_MS) / 1_000) * 1_000);
  const witness = { client, amlyze: rig.peers.amlyze.control };
  const before = await ledgerEnd(witness.amlyze);
  const gateway = await rig.startGateway(installation, { SYNC_CRON: cronOf(slot) });
  const opened = async (): Promise<string | undefined> =>
    (await client.query<{ id: string }>('select id from sync_run where slot = $1', [slot])).rows[0]?.id;
  const run = await eventually('the run of the slot is open', opened, OPEN_WITHIN_MS);
  const doneMs = await delivered(witness, before + SIZE.due);
  const { rows } = await client.query<{ read: number; first: Date; last: Date }>(
    `select count(*)::int as read, min(fetched_at) as first, max(fetched_at) as last from balance_reading where run_id = $1 and outcome = 'READ'`,
    [run],
  );
  const [row] = rows;
  if (row?.read !== SIZE.due) throw new Error(`${row?.read} of ${SIZE.due} accounts were read`);
  const peakMb = gateway.peakRssMb;
  await gateway.stop();
  const since = (ms: number): number => (ms - slot.getTime()) / 1_000;
  return { first: since(row.first.getTime()), last: since(row.last.getTime()), delivered: since(doneMs), peakMb };
}

/** Second, minute, hour, day and month of that instant, UTC. */
function cronOf(slot: Date): string {
  const time = [slot.getUTCSeconds(), slot.getUTCMinutes(), slot.getUTCHours()];
  return [...time, slot.getUTCDate(), slot.getUTCMonth() + 1, '*'].join(' ');
}

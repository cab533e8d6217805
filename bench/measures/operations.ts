import { randomUUID } from 'node:crypto';
import { quotients, type Figure } from '../figure';
import type { BenchGateway } from '../rig/gateway';
import { delivered, ledgerEnd, type Witness } from '../rig/gateway-round';
import { operationBody, tellOfCustomers } from '../rig/operation';
import { peakRss, type Measure } from './measure';

interface Case {
  name: string;
  /** What AMLYZE takes for one operation. */
  callMs: number;
  count: number;
  /** Where half of the direct calls is out of reach: what was reached. See docs/performance.md for where the rest goes. */
  reached?: number;
}

const CASES: readonly Case[] = [
  { name: 'AMLYZE that answers at once', callMs: 0, count: 5_000, reached: 0.2 },
  { name: 'AMLYZE of 20 ms', callMs: 20, count: 600 },
];

/** Card payments imported and delivered one by one, beside the same calls with nothing kept. */
export const operations: Measure = {
  name: 'operations',
  partOf: 'named-run',
  async take(rig, options) {
    const installation = await rig.install();
    const gateway = await rig.startGateway(installation, { OPERATIONS_IMPORT: 'without-monitoring' });
    const client = await rig.session(installation);
    const amlyze = rig.peers.amlyze.control;
    const witness = { client, amlyze };
    const direct = await rig.startReference('operations');
    await tellOfCustomers(rig.peers);
    // Compiles what runs often.
    await importAndDeliver(gateway, witness, 500);
    await direct.round({ accounts: 500 });
    const figures: Figure[] = [];
    for (const { name, callMs, count, reached } of CASES) {
      await amlyze.clearFaults();
      if (callMs > 0) await amlyze.addFault({ do: { kind: 'latency', ms: callMs } });
      const ours: number[] = [];
      const theirs: number[] = [];
      for (let n = 0; n < (options.rounds ?? 3); n += 1) {
        ours.push(await importAndDeliver(gateway, witness, count));
        const { balances, seconds } = await direct.round({ accounts: count });
        theirs.push(balances / seconds);
      }
      figures.push(
        { name: `${name}: imported and delivered`, unit: 'operations/s', rounds: ours },
        { name: `${name}: direct calls`, unit: 'operations/s', rounds: theirs },
        {
          name: `${name}: gateway ÷ direct`,
          unit: '',
          rounds: quotients(ours, theirs),
          target: { atLeast: 0.5, ...(reached !== undefined && { reached }) },
        },
      );
    }
    await client.end();
    return { voids: [], figures: [...figures, peakRss([gateway.peakRssMb])] };
  },
};

/** Operations per second from the first byte of the import until all are accepted and logged. */
async function importAndDeliver(gateway: BenchGateway, witness: Witness, count: number): Promise<number> {
  const batch = randomUUID();
  const lines = Array.from({ length: count }, (_, n) => JSON.stringify(operationBody(`${batch}-${n}`)));
  const before = await ledgerEnd(witness.amlyze);
  const beganMs = Date.now();
  const answer = await gateway.ok('POST', '/admin/operations/import', `${lines.join('\n')}\n`);
  if (answer.taken !== count) throw new Error(`import: ${JSON.stringify(answer)}`);
  const doneMs = await delivered(witness, before + count);
  const { rows } = await witness.client.query<{ accepted: number }>(
    `select count(*)::int as accepted from record_with_state where operation_ext_id like $1 and state = 'accepted'`,
    [`${batch}-%`],
  );
  if (rows[0]?.accepted !== count) throw new Error(`${rows[0]?.accepted} of ${count} operations were accepted`);
  return count / ((doneMs - beganMs) / 1000);
}

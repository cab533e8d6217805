import { join } from 'node:path';
import { eventually } from '../../test/support/eventually';
import { connectBank, importAccounts, tellPeers } from '../rig/accounts';
import type { BenchRig } from '../rig/bench-rig';
import type { BenchGateway, Installation } from '../rig/gateway';
import { peakRss, type Measure } from './measure';

const ACCOUNTS = 5_000;

/** From the start of the process to ready, with an embedded Postgres that has data and was shut down in good order. */
export const coldStart: Measure = {
  name: 'cold-start',
  partOf: 'whole-run',
  async take(rig, options) {
    const dataDir = join(rig.folder, 'cold-start');
    const { databaseUrl: _none, ...keys } = await rig.install();
    const installation: Installation = { ...keys, databaseUrl: '' };
    await fill(rig, installation, dataDir);
    const seconds: number[] = [];
    const peaks: number[] = [];
    for (let n = 0; n < (options.rounds ?? 3); n += 1) {
      const beganMs = performance.now();
      const gateway = await rig.startGateway(installation, { DATA_DIR: dataDir });
      seconds.push((performance.now() - beganMs) / 1000);
      peaks.push(gateway.peakRssMb);
      await gateway.stop();
    }
    return {
      voids: [],
      figures: [
        { name: 'from start to ready, existing data', unit: 's', rounds: seconds, target: { atMost: 2.5 } },
        peakRss(peaks),
      ],
    };
  },
};

async function fill(rig: BenchRig, installation: Installation, dataDir: string): Promise<void> {
  await tellPeers(rig.peers, ACCOUNTS);
  const gateway = await rig.startGateway(installation, { DATA_DIR: dataDir });
  const { consentId } = await connectBank(gateway, { name: 'bank', baseUrl: rig.peers.mypos.control.url });
  await importAccounts(gateway, consentId, ACCOUNTS);
  const { runId } = await gateway.ok('POST', '/admin/resync', { all: true });
  await eventually('the first run is delivered', () => isDelivered(gateway, runId), 120_000);
  await gateway.stop();
}

async function isDelivered(gateway: BenchGateway, runId: string): Promise<boolean> {
  const { records } = await gateway.ok('GET', `/admin/runs/${runId}`);
  return records.accepted === ACCOUNTS;
}

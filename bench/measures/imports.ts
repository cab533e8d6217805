import { connectBank, importInOne } from '../rig/accounts';
import { peakRss, type Measure } from './measure';

const ACCOUNTS = 50_000;

/** Accounts per second of one request to POST /admin/accounts/import. */
export const imports: Measure = {
  name: 'import',
  partOf: 'whole-run',
  async take(rig, options) {
    const gateway = await rig.startGateway(await rig.install());
    const { consentId } = await connectBank(gateway, { name: 'bank', baseUrl: rig.peers.mypos.control.url });
    const rates: number[] = [];
    for (let round = 0; round < (options.rounds ?? 3); round += 1) {
      const indexes = Array.from({ length: ACCOUNTS }, (_, n) => round * ACCOUNTS + n + 1);
      const beganMs = performance.now();
      await importInOne(gateway, consentId, indexes);
      rates.push(ACCOUNTS / ((performance.now() - beganMs) / 1000));
    }
    return {
      voids: [],
      figures: [
        { name: 'one request with 50,000 accounts', unit: 'accounts/s', rounds: rates },
        peakRss([gateway.peakRssMb]),
      ],
    };
  },
};

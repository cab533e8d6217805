import { registered } from '../rig/registered';
import { accountsFor, PERMITTED_PER_SECOND, slowDown, slowRate } from '../rig/slow-bank';
import { peakRss, type Measure } from './measure';

const WORK_SECONDS = 10;

/** Balances per second where every read takes 200 ms, as a share of what SYNC_CONCURRENCY reads in flight can do. */
export const slowBanks: Measure = {
  name: 'slow-banks',
  quick: false,
  async take(rig, options) {
    const accounts = accountsFor(1, WORK_SECONDS);
    const installation = await registered(rig, accounts);
    const gateway = await rig.startGateway(installation);
    const client = await rig.session(installation);
    await slowDown(rig);
    const rates: number[] = [];
    for (let n = 0; n < (options.rounds ?? 3); n += 1)
      rates.push(await slowRate(gateway, { client, amlyze: rig.peers.amlyze.control }, accounts));
    await client.end();
    return {
      voids: [],
      figures: [
        { name: 'banks that take 200 ms a read', unit: 'balances/s', rounds: rates },
        {
          name: 'share of SYNC_CONCURRENCY / 0.2 s',
          unit: '',
          rounds: rates.map((rate) => rate / PERMITTED_PER_SECOND),
          target: { atLeast: 0.95 },
        },
        peakRss([gateway.peakRssMb]),
      ],
    };
  },
};

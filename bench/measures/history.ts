import { quotients } from '../figure';
import type { BenchRig } from '../rig/bench-rig';
import { gatewayRound } from '../rig/gateway-round';
import type { BenchGateway, Installation } from '../rig/gateway';
import { twoAges } from '../rig/history';
import { peakRss, type Measure } from './measure';

const ALL = { all: true };
const WARM_UP_ACCOUNTS = 500;

/** The same work with nothing in the tables and with millions of settled records of the same accounts. */
export const history: Measure = {
  name: 'history',
  partOf: 'whole-run',
  async take(rig, options) {
    const { fresh, old, records, seedSeconds, bytesPerRecord } = await twoAges(rig, options);
    const young = await start(rig, fresh);
    const aged = await start(rig, old);
    const without: number[] = [];
    const with_: number[] = [];
    // The first round of each compiles what runs often.
    const warmUp = { accountIds: Array.from({ length: WARM_UP_ACCOUNTS }, (_, n) => String(n + 1)) };
    await young.round(warmUp);
    await aged.round(warmUp);
    for (let n = 0; n < (options.rounds ?? 3); n += 1) {
      without.push(await young.round(ALL));
      with_.push(await aged.round(ALL));
    }
    const amount = records.toLocaleString('en-US');
    const peaks = [young.gateway.peakRssMb, aged.gateway.peakRssMb];
    await Promise.all([young.end(), aged.end()]);
    return {
      voids: [],
      figures: [
        { name: 'with empty tables', unit: 'balances/s', rounds: without },
        { name: `with ${amount} settled records`, unit: 'balances/s', rounds: with_ },
        { name: `${amount} ÷ empty`, unit: '', rounds: quotients(with_, without), target: { atLeast: 0.85 } },
        peakRss(peaks),
        { name: 'disk for each of them, indexes included', unit: 'bytes', rounds: [bytesPerRecord] },
        { name: 'making that history', unit: 's', rounds: [seedSeconds] },
      ],
    };
  },
};

interface Side {
  gateway: BenchGateway;
  /** Balances per second of one run. */
  round(scope: object): Promise<number>;
  end(): Promise<void>;
}

async function start(rig: BenchRig, installation: Installation): Promise<Side> {
  const gateway = await rig.startGateway(installation);
  const client = await rig.session(installation);
  return {
    gateway,
    round: async (scope) => {
      const { balances, seconds } = await gatewayRound(gateway, { client, amlyze: rig.peers.amlyze.control }, scope);
      return balances / seconds;
    },
    end: () => client.end(),
  };
}

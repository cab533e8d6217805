import type { Client } from 'pg';
import { quotients } from '../figure';
import type { BenchRig } from '../rig/bench-rig';
import type { BenchGateway, Installation } from '../rig/gateway';
import { registered } from '../rig/registered';
import { accountsFor, slowDown, slowRate } from '../rig/slow-bank';
import { peakRss, type Measure } from './measure';

const WORK_SECONDS = 10;
const MOST_REPLICAS = 3;

interface Setting {
  rig: BenchRig;
  installation: Installation;
  client: Client;
}

/** The slow banks with one, two and three replicas; each gets work for ten seconds. */
export const replicas: Measure = {
  name: 'replicas',
  quick: false,
  async take(rig, options) {
    const installation = await registered(rig, accountsFor(MOST_REPLICAS, WORK_SECONDS));
    const client = await rig.session(installation);
    await slowDown(rig);
    const rounds: number[][] = [];
    const peaks: number[] = [];
    for (let n = 0; n < (options.rounds ?? 3); n += 1) {
      const { rates, peakMb } = await oneTwoThree({ rig, installation, client });
      rounds.push(rates);
      peaks.push(peakMb);
    }
    await client.end();
    const [one = [], two = [], three = []] = [0, 1, 2].map((at) => rounds.map((rates) => rates[at] ?? NaN));
    return {
      voids: [],
      figures: [
        { name: '1 replica', unit: 'balances/s', rounds: one },
        { name: '2 replicas', unit: 'balances/s', rounds: two },
        { name: '3 replicas', unit: 'balances/s', rounds: three },
        { name: '2 replicas ÷ 1', unit: '', rounds: quotients(two, one) },
        { name: '3 replicas ÷ 1', unit: '', rounds: quotients(three, one), target: { atLeast: 2.85 } },
        peakRss(peaks),
      ],
    };
  },
};

/** Balances per second while replicas join one after the other. */
async function oneTwoThree({ rig, installation, client }: Setting): Promise<{ rates: number[]; peakMb: number }> {
  const running: BenchGateway[] = [];
  const rates: number[] = [];
  for (let count = 1; count <= MOST_REPLICAS; count += 1) {
    const gateway = await rig.startGateway(installation);
    running.push(gateway);
    rates.push(await slowRate(gateway, { client, amlyze: rig.peers.amlyze.control }, accountsFor(count, WORK_SECONDS)));
  }
  const peakMb = Math.max(...running.map(({ peakRssMb }) => peakRssMb));
  await Promise.all(running.map((gateway) => gateway.stop()));
  return { rates, peakMb };
}

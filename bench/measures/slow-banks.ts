import type { Client } from 'pg';
import { quotients } from '../figure';
import type { BenchRig } from '../rig/bench-rig';
import type { BenchGateway, Installation } from '../rig/gateway';
import { registered } from '../rig/registered';
import { accountsFor, PERMITTED_PER_SECOND, slowDown, slowRate } from '../rig/slow-bank';
import { peakRss, type Measure } from './measure';

const WORK_SECONDS = 10;
const MOST_REPLICAS = 3;

/** Balances per second where every read takes 200 ms, of one, two and three replicas; each gets work for ten seconds. */
export const slowBanks: Measure = {
  name: 'slow-banks',
  partOf: 'whole-run',
  async take(rig, options) {
    const installation = await registered(rig, accountsFor(MOST_REPLICAS, WORK_SECONDS));
    const client = await rig.session(installation);
    await slowDown(rig);
    const replicas = new Replicas(rig, installation, client);
    // By number of replicas, from one on. Every other round goes from three down to one, which leaves them running in between.
    const rates: number[][] = Array.from({ length: MOST_REPLICAS }, () => []);
    for (let n = 0; n < (options.rounds ?? 3); n += 1) {
      const upwards = [...rates.entries()];
      for (const [at, each] of n % 2 === 0 ? upwards : upwards.reverse()) each.push(await replicas.rate(at + 1));
    }
    await client.end();
    const [one = [], two = [], three = []] = rates;
    return {
      voids: [],
      figures: [
        { name: '1 replica', unit: 'balances/s', rounds: one },
        {
          name: 'its share of SYNC_CONCURRENCY / 0.2 s',
          unit: '',
          rounds: one.map((rate) => rate / PERMITTED_PER_SECOND),
          target: { atLeast: 0.95 },
        },
        { name: '2 replicas', unit: 'balances/s', rounds: two },
        { name: '3 replicas', unit: 'balances/s', rounds: three },
        { name: '2 replicas ÷ 1', unit: '', rounds: quotients(two, one) },
        { name: '3 replicas ÷ 1', unit: '', rounds: quotients(three, one), target: { atLeast: 2.85 } },
        peakRss(replicas.peaksMb),
      ],
    };
  },
};

/** Replicas on one database, of which as many run as are asked for. */
class Replicas {
  /** Of each that ran: what it held in memory at most. */
  readonly peaksMb: number[] = [];
  private readonly running: BenchGateway[] = [];

  constructor(
    private readonly rig: BenchRig,
    private readonly installation: Installation,
    private readonly client: Client,
  ) {}

  /** Balances per second of `count` replicas. */
  async rate(count: number): Promise<number> {
    while (this.running.length < count) this.running.push(await this.rig.startGateway(this.installation));
    for (const surplus of this.running.splice(count)) await surplus.stop();
    const [gateway] = this.running;
    if (!gateway) throw new RangeError('no replica is asked for');
    const witness = { client: this.client, amlyze: this.rig.peers.amlyze.control };
    const rate = await slowRate(gateway, witness, accountsFor(count, WORK_SECONDS));
    this.peaksMb.push(...this.running.map(({ peakRssMb }) => peakRssMb));
    return rate;
  }
}

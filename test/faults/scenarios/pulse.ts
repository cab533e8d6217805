import { setTimeout as wait } from 'node:timers/promises';
import type { GatewayReplica } from '../rig/replica';

const EVERY_MS = 200;
/** A busy machine answers late, which is not what is looked for. */
const DEADLINE_MS = 10_000;

/** Looks at the health pages all the time, as an orchestrator would, and remembers which statuses came. */
export class Pulse {
  private readonly live = new Set<number>();
  private readonly ready = new Set<number>();
  private ended = false;
  private readonly looking: Promise<unknown>;

  constructor(replicas: readonly GatewayReplica[]) {
    this.looking = Promise.all(replicas.map((replica) => this.look(replica)));
  }

  /** Every status that each page answered with; 0: no answer. */
  async end(): Promise<{ live: number[]; ready: number[] }> {
    this.ended = true;
    await this.looking;
    const sorted = (statuses: Set<number>): number[] => [...statuses].sort((a, b) => a - b);
    return { live: sorted(this.live), ready: sorted(this.ready) };
  }

  private async look(replica: GatewayReplica): Promise<void> {
    while (!this.ended) {
      const [live, ready] = await Promise.all([
        replica.health('live', DEADLINE_MS),
        replica.health('ready', DEADLINE_MS),
      ]);
      this.live.add(live);
      this.ready.add(ready);
      await wait(EVERY_MS);
    }
  }
}

import { setTimeout as wait } from 'node:timers/promises';
import type { WireRule } from '../proxy';
import type { Peer } from '../rig/history';
import type { World } from '../rig/world';
import { killSession } from '../rig/kill-session';
import type { Crew } from './crew';
import { describeFault, type Fault } from './plan';

/** Does what a plan says to one world. Faults of different kinds overlap as they come; those of Postgres take turns. */
export class FaultHand {
  private readonly rules = new Map<Peer, WireRule[]>();
  private postgres: Promise<void> = Promise.resolve();

  constructor(
    private readonly world: World,
    private readonly crew: Crew,
  ) {}

  /** Resolves when the fault is over; faults of a simulator last until they are used up or the world is healed. */
  async apply(fault: Fault): Promise<void> {
    this.world.history.add({ kind: 'action', what: describeFault(fault) });
    switch (fault.kind) {
      case 'kill': {
        const env = fault.failPoint === undefined ? {} : { FAIL_POINTS: fault.failPoint };
        return this.crew.replace(fault.replica, fault.downMs, fault.signal, env);
      }
      case 'pause':
        return this.crew.pause(fault.replica, fault.forMs);
      case 'postgres-restart':
      case 'postgres-session':
      case 'postgres-pause':
        this.postgres = this.postgres.then(() => this.strikePostgres(fault));
        return this.postgres;
      case 'wire':
        return this.spoil(fault.peer, fault.rule, fault.forMs);
      case 'refuse':
        await this.world.wire[fault.peer].refuse();
        await wait(fault.forMs);
        return this.world.wire[fault.peer].accept();
      case 'drop':
        return this.world.wire[fault.peer].drop();
      case 'peer':
        return this.world[fault.peer].addFault(fault.rule);
    }
  }

  private async strikePostgres(
    fault: Extract<Fault, { kind: 'postgres-restart' | 'postgres-session' | 'postgres-pause' }>,
  ): Promise<void> {
    const { postgres } = this.world;
    if (fault.kind === 'postgres-pause') {
      postgres.pause();
      await wait(fault.forMs);
      postgres.resume();
    } else if (fault.kind === 'postgres-restart') {
      await postgres.stop(fault.signal);
      await postgres.startAgain();
    } else {
      await killSession(this.world);
    }
  }

  private async spoil(peer: Peer, rule: WireRule, forMs: number): Promise<void> {
    const rules = this.rules.get(peer) ?? [];
    this.rules.set(peer, rules);
    rules.push(rule);
    this.world.wire[peer].set(...rules);
    await wait(forMs);
    rules.splice(rules.indexOf(rule), 1);
    this.world.wire[peer].set(...rules);
  }
}

/**
 * The rig of the fault suite: one Postgres and the three simulators for a whole run, and for each scenario a World with a
 * database, a wire, a call history and up to three replicas of the built gateway of its own.
 *
 *   const rig = await Rig.open();
 *   const world = await rig.world({ seed: 1 });
 *   const [a, b, c] = await world.startReplicas(3);         // or startReplica({ FAIL_POINTS: 'after-claim' })
 *   await world.register(a, 'mypos', 50);                    // at the bank, at AMLYZE and at the gateway
 *   world.wire.amlyze.set({ kind: 'reset_peer', times: 1 }); // faults on the wire: test/faults/proxy.ts
 *   await world.amlyze.addFault({ do: { kind: 'shuffle-results' } }); // faults of a peer: docs/simulators.md
 *   await world.resync(a);
 *   a.pause(); a.resume(); await a.kill();                   // signals; world.postgres has the same and more
 *   await world.heal(20_000);                                // takes faults away, begins the time of I10
 *   await world.settled();
 *   await checkWorld(world);                                 // test/faults/checker: I1 to I10
 *   await world.close(); await rig.close();
 *
 * `world.history.listen(line => …)` is called in the moment a request has passed the wire: the place to kill somebody between
 * the send and the answer. A scenario is data: see scenarios/scenario.ts. All processes and folders go when this process ends,
 * however it ends (guardian.ts); FAULTS_KEEP=1 keeps the folders.
 */
import { join } from 'node:path';
import type { Compiler } from './build';
import { OnMachine, startMachine, stopMachine, type Machine } from './machine';
import type { PostgresServer } from './postgres-server';
import { World, type WorldOptions } from './world';

const KEEP = process.env['FAULTS_KEEP'] === '1';

export class Rig extends OnMachine {
  private worlds = 0;

  private constructor(machine: Machine) {
    super(machine);
  }

  static async open(compiler: Compiler = 'tsc'): Promise<Rig> {
    return new Rig(await startMachine({ name: 'faults', compiler, keep: KEEP }));
  }

  /** @param postgres another server than the rig's, on a full disk say; whoever started it stops it */
  async world(options: WorldOptions, postgres: PostgresServer = this.postgres): Promise<World> {
    this.worlds += 1;
    const folder = join(this.folder, `world-${this.worlds}`);
    const { build, guardian, peers } = this;
    return World.create({ folder, build, guardian, peers, postgres }, options);
  }

  async close(): Promise<void> {
    await stopMachine(this, KEEP);
  }
}

import type { PostgresServer } from '../rig/postgres-server';
import type { Rig } from '../rig/rig';
import type { World, WorldOptions } from '../rig/world';

/** Figures that a scenario shows in its line: how many records, milliseconds … */
export type Figures = Readonly<Record<string, number | string>>;

/** A database server for one scenario alone. */
export interface OwnServer {
  postgres: PostgresServer;
  end(): Promise<void>;
}

/** `full` in npm run faults, `reduced` in npm test. */
export type Size = 'full' | 'reduced';

export interface Scene {
  world: World;
  /** The scenario's number of accounts for this size. */
  accounts: number;
  size: Size;
}

/**
 * One line of the table of faults. The runner makes the world, calls `inject` and `expect`, and lets the checker judge after
 * that: `expect` states only what is particular to the scenario, I1 to I10 are stated by the checker.
 */
export interface Scenario {
  id: number;
  title: string;
  /** What is done to the system, for the line and the document. */
  injected: string;
  /** What has to come of it, beside I1 to I10. */
  expected: string;
  accounts: Readonly<Record<Size, number>>;
  world?: Omit<WorldOptions, 'seed'>;
  /** Why this machine cannot run it; then it is reported as not run, never as passed. */
  impossible?: () => Promise<string | undefined>;
  /** A Postgres of its own, instead of the rig's. */
  server?: (rig: Rig) => Promise<OwnServer>;
  /** Starts replicas, registers accounts, opens runs, does the harm, and ends with `world.heal`. */
  inject(scene: Scene): Promise<void>;
  /** Called when everything is settled; throws where an expectation does not hold. */
  expect(scene: Scene): Promise<Figures>;
}

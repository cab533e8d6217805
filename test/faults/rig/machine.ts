import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildGateway, type Build, type Compiler } from './build';
import { Guardian } from './guardian';
import { PostgresServer } from './postgres-server';
import { startPeers, type Peers } from './simulators';

/** What a run of the fault suite or of the bench starts once: a folder, a build, one Postgres and the simulators. */
export interface Machine {
  readonly folder: string;
  readonly build: Build;
  readonly guardian: Guardian;
  readonly peers: Peers;
  readonly postgres: PostgresServer;
}

/** Whatever runs on a machine shows its parts as its own. */
export abstract class OnMachine implements Machine {
  readonly folder: string;
  readonly build: Build;
  readonly guardian: Guardian;
  readonly peers: Peers;
  readonly postgres: PostgresServer;

  protected constructor(machine: Machine) {
    ({
      folder: this.folder,
      build: this.build,
      guardian: this.guardian,
      peers: this.peers,
      postgres: this.postgres,
    } = machine);
  }
}

export interface MachineOptions {
  /** Beginning of the folder's name. */
  name: string;
  compiler: Compiler;
  /** The folder stays when all is over. */
  keep?: boolean;
}

/** All processes and, unless kept, the folder go when this process ends, however it ends. */
export async function startMachine({ name, compiler, keep = false }: MachineOptions): Promise<Machine> {
  const guardian = new Guardian();
  try {
    const folder = mkdtempSync(join(tmpdir(), `${name}-`));
    // As root Postgres runs as another user, who has to pass.
    chmodSync(folder, 0o711);
    if (!keep) guardian.removes(folder);
    const build = buildGateway(compiler);
    const [postgres, peers] = await Promise.all([
      PostgresServer.start(join(folder, 'postgres'), guardian),
      startPeers(build, folder, guardian),
    ]);
    return { folder, build, guardian, peers, postgres };
  } catch (error) {
    guardian.close();
    throw error;
  }
}

export async function stopMachine({ folder, guardian, peers, postgres }: Machine, keep = false): Promise<void> {
  await Promise.all(Object.values(peers).map(({ process }) => process.kill()));
  await postgres.stop('SIGINT');
  guardian.close();
  if (!keep) rmSync(folder, { recursive: true, force: true });
}

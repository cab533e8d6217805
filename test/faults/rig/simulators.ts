import { join } from 'node:path';
import { SimulatorControl } from '../../../src/simulators/control-client';
import type { Build } from './build';
import type { Guardian } from './guardian';
import type { Peer } from './history';
import { RigProcess } from './rig-process';

export const PEERS: readonly Peer[] = ['mypos', 'onesingleview', 'amlyze'];

/** A simulator as a process of its own, and the way to tell it things. */
export interface RunningPeer {
  process: RigProcess;
  control: SimulatorControl;
}

export type Peers = Readonly<Record<Peer, RunningPeer>>;

export async function startPeers(build: Build, folder: string, guardian: Guardian): Promise<Peers> {
  const [mypos, onesingleview, amlyze] = await Promise.all([
    startPeer('mypos', build, { folder, guardian }),
    startPeer('onesingleview', build, { folder, guardian }),
    startPeer('amlyze', build, { folder, guardian }),
  ]);
  return { mypos, onesingleview, amlyze };
}

async function startPeer(
  peer: Peer,
  build: Build,
  { folder, guardian }: { folder: string; guardian: Guardian },
): Promise<RunningPeer> {
  const process = RigProcess.start(
    {
      title: `the simulator of ${peer}`,
      file: join(build.dist, 'simulators', 'main.js'),
      args: [peer],
      env: { NODE_COMPILE_CACHE: build.codeCache },
      logFile: join(folder, `simulator-${peer}.log`),
    },
    guardian,
  );
  const [, url = ''] = await process.says(/"url":"(http[^"]+)"/);
  return { process, control: new SimulatorControl(url) };
}

import type { World } from '../rig/world';
import { check } from './check';
import type { Finding } from './evidence';
import { loadEvidence } from './load';

/** The checker on a world: its database, its peers' own logs and its call history. */
export async function checkWorld(world: World): Promise<Finding[]> {
  return check(
    await loadEvidence({
      databaseUrl: world.databaseUrl,
      amlyze: world.amlyze.url,
      banks: [
        { bank: 'mypos', from: world.mypos.url },
        { bank: 'onesingleview', from: world.onesingleview.url },
      ],
      historyFile: world.history.file,
    }),
  );
}

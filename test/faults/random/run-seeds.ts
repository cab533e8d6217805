import type { Rig } from '../rig/rig';
import type { World } from '../rig/world';
import { describePlan } from './plan';
import { RANDOM_WORLD, SeedRunner, type SeedReport } from './seed';

/** A new world now and then: the checker reads all of it after every seed. */
const SEEDS_A_WORLD = 20;

export interface SeedTotals {
  failed: number[];
  records: number;
  replayed: number;
}

/** Runs seeds first, first + 1 …; one line each. A failed seed's world is left to itself, the next one gets a fresh one. */
export async function runSeeds(rig: Rig, { first, count }: { first: number; count: number }): Promise<SeedTotals> {
  const totals: SeedTotals = { failed: [], records: 0, replayed: 0 };
  let world: World | undefined;
  let runner: SeedRunner | undefined;
  for (let n = 0; n < count; n += 1) {
    if (!world || !runner || n % SEEDS_A_WORLD === 0) {
      await world?.close();
      world = await rig.world({ ...RANDOM_WORLD, seed: first + n });
      runner = new SeedRunner(world);
    }
    const report = await runner.run(first + n);
    totals.records += report.records;
    totals.replayed += report.replayed;
    console.log(lineOf(report));
    if (report.problems.length > 0) {
      totals.failed.push(report.plan.seed);
      console.log(
        `           reproduce: npm run faults -- --random 1 --seed ${report.plan.seed}; evidence: ${world.folder}`,
      );
      await world.close();
      world = undefined;
    }
  }
  await world?.close();
  return totals;
}

function lineOf({ plan, problems, records, replayed, seconds }: SeedReport): string {
  const result = problems.length === 0 ? 'ok    ' : 'failed';
  const broken = problems.map((problem) => `\n           ${problem.replaceAll('\n', ' ')}`).join('');
  return `${result} seed ${plan.seed} | ${describePlan(plan)} | ${records} records, ${replayed} replayed | ${seconds.toFixed(1)} s${broken}`;
}

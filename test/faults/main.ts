import { parseArgs } from 'node:util';
import { lineFor, runScenario, type ScenarioReport } from './runner';
import { runSeeds } from './random/run-seeds';
import { Rig } from './rig/rig';
import { SCENARIOS } from './scenarios';

const USAGE = `usage: npm run faults [-- --only 1,3] [--random N] [--seed S]
  --only IDS   only these scenarios of the table in docs/reliability.md
  --random N   N drawn histories of faults instead of the scenarios
  --seed S     of everything that is drawn by chance (default: drawn, and printed)
`;

interface Wish {
  only: number[] | undefined;
  random: number | undefined;
  seed: number;
}

function wishOf(argv: readonly string[]): Wish {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args: [...argv], options: { only: text, random: text, seed: text } });
  const random = values.random === undefined ? undefined : Number(values.random);
  if (random !== undefined && !(Number.isInteger(random) && random > 0))
    throw new Error('--random: a whole number above 0');
  const only = values.only?.split(',').map(Number);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  const unknown = only?.filter((id) => !SCENARIOS.some((scenario) => scenario.id === id)) ?? [];
  if (unknown.length > 0) throw new Error(`no scenario ${unknown.join(', ')}`);
  if (!Number.isInteger(seed) || seed < 0) throw new Error('--seed: a whole number');
  return { only, random, seed };
}

/** How many seeds failed. */
async function runRandom(rig: Rig, count: number, first: number): Promise<number> {
  const beganMs = performance.now();
  const { failed, records, replayed } = await runSeeds(rig, { first, count });
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(0);
  const which = failed.length > 0 ? `: ${failed.join(', ')}` : '';
  console.log(
    `${count - failed.length} of ${count} seeds ok, ${failed.length} failed${which}; ${records} records, ${replayed} replayed, ${seconds} s`,
  );
  return failed.length;
}

async function runTable(rig: Rig, { only, seed }: Wish): Promise<ScenarioReport[]> {
  const reports: ScenarioReport[] = [];
  for (const scenario of SCENARIOS.filter(({ id }) => only?.includes(id) ?? true)) {
    const report = await runScenario(rig, scenario, { size: 'full', seed: seed + scenario.id });
    console.log(lineFor(report));
    reports.push(report);
  }
  return reports;
}

/** npm run faults: one line per scenario, exit code 1 where one failed. */
async function main(): Promise<number> {
  let wish: Wish;
  try {
    wish = wishOf(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  }
  const beganMs = performance.now();
  console.log(`seed ${wish.seed}`);
  const rig = await Rig.open();
  try {
    if (wish.random !== undefined) return (await runRandom(rig, wish.random, wish.seed)) > 0 ? 1 : 0;
    const reports = await runTable(rig, wish);
    const counts = (['ok', 'failed', 'not run'] as const).map(
      (result) => `${reports.filter((report) => report.result === result).length} ${result}`,
    );
    console.log(`${counts.join(', ')} in ${((performance.now() - beganMs) / 1000).toFixed(0)} s, seed ${wish.seed}`);
    return reports.some(({ result }) => result === 'failed') ? 1 : 0;
  } finally {
    await rig.close();
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(2);
  },
);

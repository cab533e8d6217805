/** `npm run bench`: takes the measures one after the other, prints a table and writes the figures as JSON. */
import { MEASURES } from './measures';
import type { Measure } from './measures/measure';
import { readOptions, USAGE, type Options } from './options';
import { failures, table, writeJson, type Finding } from './report';
import { BenchRig } from './rig/bench-rig';

void (async () => {
  let options: Options;
  try {
    options = readOptions(
      process.argv.slice(2),
      MEASURES.map(({ name }) => name),
    );
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(2);
  }
  // The guardian ends what was started as soon as this process is gone.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
  const findings = await takeAll(options);
  writeJson(options.json, findings);
  console.log(`\n${table(findings)}\n\nround by round: ${options.json}`);
  const reasons = failures(findings);
  for (const reason of reasons) console.error(reason);
  process.exit(reasons.length === 0 ? 0 : 1);
})();

async function takeAll(options: Options): Promise<Finding[]> {
  const findings: Finding[] = [];
  const rig = await BenchRig.open();
  try {
    for (const measure of wanted(options)) findings.push(await takeOne(rig, measure, options));
  } finally {
    await rig.close();
  }
  return findings;
}

function wanted({ only, quick }: Options): Measure[] {
  if (only.length > 0) return MEASURES.filter(({ name }) => only.includes(name));
  return MEASURES.filter(({ partOf }) => partOf === 'every-run' || (partOf === 'whole-run' && !quick));
}

/** A measure that breaks off must not take the others' figures with it. */
async function takeOne(rig: BenchRig, measure: Measure, options: Options): Promise<Finding> {
  process.stderr.write(`${measure.name} ...`);
  const beganMs = performance.now();
  let measured: { figures: Finding['figures']; voids: string[] };
  try {
    measured = await measure.take(rig, options);
  } catch (error) {
    measured = { figures: [], voids: [error instanceof Error ? (error.stack ?? error.message) : String(error)] };
  }
  await rig.clear();
  const seconds = Math.round((performance.now() - beganMs) / 100) / 10;
  process.stderr.write(` ${seconds} s\n`);
  return { measure: measure.name, ...measured, seconds };
}

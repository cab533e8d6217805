import { parseArgs } from 'node:util';
import { Rig } from './rig/rig';
import { kills } from './soak/kills';
import { outage } from './soak/outage';
import type { Part } from './soak/soak-world';

const USAGE = `usage: npm run soak [-- --minutes M] [--seed S] [--only 18,26]
  --minutes M  how long, at least 2 (default 10); half of it for each scenario
  --seed S     of the workload and the choice of victims (default: drawn, and printed)
`;

const PARTS = [
  { id: 18, title: 'AMLYZE is down while slot after slot is read, then comes back', run: outage },
  { id: 26, title: 'a random replica dies by kill -9 every 2 s while balances flow', run: kills },
] as const;

interface Wish {
  minutes: number;
  seed: number;
  only: readonly number[];
}

function wishOf(argv: readonly string[]): Wish {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args: [...argv], options: { minutes: text, seed: text, only: text } });
  const minutes = Number(values.minutes ?? 10);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  const only = values.only?.split(',').map(Number) ?? PARTS.map(({ id }) => id);
  if (!(minutes >= 2 && minutes <= 24 * 60)) throw new Error('--minutes: a number from 2 to 1440');
  if (!Number.isInteger(seed) || seed < 0) throw new Error('--seed: a whole number');
  if (only.some((id) => !PARTS.some((part) => part.id === id))) throw new Error('--only: 18 or 26');
  return { minutes, seed, only };
}

function lineFor(part: (typeof PARTS)[number], { figures, problems }: Part, seconds: number): string {
  const shown = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  const broken = problems.map((problem) => `\n           ${problem.replaceAll('\n', ' ')}`).join('');
  const result = problems.length === 0 ? 'ok    ' : 'failed';
  return `${result} ${part.id}  ${part.title} | ${shown.join(', ')} | ${seconds.toFixed(0)} s${broken}`;
}

/** npm run soak: one line per scenario, exit code 1 where one failed. */
async function main(): Promise<number> {
  let wish: Wish;
  try {
    wish = wishOf(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  }
  const { minutes, seed, only } = wish;
  console.log(`seed ${seed}`);
  const chosen = PARTS.filter(({ id }) => only.includes(id));
  const rig = await Rig.open();
  let failed = 0;
  try {
    for (const part of chosen) {
      const beganMs = performance.now();
      const found = await part.run(rig, { ms: (minutes * 60_000) / chosen.length, seed: seed + part.id });
      console.log(lineFor(part, found, (performance.now() - beganMs) / 1000));
      if (found.problems.length > 0) failed += 1;
    }
  } finally {
    await rig.close();
  }
  return failed > 0 ? 1 : 0;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(2);
  },
);

import { parseArgs } from 'node:util';
import { check, describe, isSound, violationsOf } from './check';
import { loadEvidence } from './load';

const USAGE = `usage: node --require ./test/support/register.cjs test/faults/checker/main.ts
  --database postgres://…  --amlyze URL|FILE  --bank NAME=URL|FILE [--bank …]  --history FILE
`;

/** The checker from the command line: one line per invariant, one per violation, exit code 1 where there is one. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      database: { type: 'string' },
      amlyze: { type: 'string' },
      bank: { type: 'string', multiple: true, default: [] },
      history: { type: 'string' },
    },
  });
  const { database, amlyze, bank, history } = values;
  const banks = bank.map((text) => ({
    bank: text.slice(0, text.indexOf('=')),
    from: text.slice(text.indexOf('=') + 1),
  }));
  if (!database || !amlyze || !history || banks.some((each) => each.bank === '')) {
    process.stderr.write(USAGE);
    return 2;
  }
  const findings = check(await loadEvidence({ databaseUrl: database, amlyze, banks, historyFile: history }));
  for (const violation of violationsOf(findings, 20)) console.log(violation);
  console.log(`${isSound(findings) ? 'sound' : 'BROKEN'}; facts looked at: ${describe(findings)}`);
  return isSound(findings) ? 0 : 1;
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  },
);

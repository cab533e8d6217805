import '../shared/own-source-maps';
import { parseArgs } from 'node:util';
import { startAmlyzeSimulator } from './amlyze/amlyze-simulator';
import type { RunningSimulator } from './kernel/server';
import { startMyposSimulator } from './mypos/mypos-simulator';
import { startOneSingleViewSimulator } from './onesingleview/onesingleview-simulator';

const STARTERS: Readonly<Record<string, (options: { port: number; host: string }) => Promise<RunningSimulator>>> = {
  mypos: startMyposSimulator,
  onesingleview: startOneSingleViewSimulator,
  amlyze: startAmlyzeSimulator,
};
const USAGE = `usage: main.js ${Object.keys(STARTERS).join('|')} [--port N] [--host ADDRESS]\n`;

/** One simulator as a process: prints `{"name","url"}` as one line once it listens, and ends on SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { port: { type: 'string', default: '0' }, host: { type: 'string', default: '127.0.0.1' } },
  });
  const start = STARTERS[positionals[0] ?? ''];
  const port = Number(values.port);
  if (start === undefined || !Number.isInteger(port) || port < 0 || port > 65_535) {
    process.stderr.write(USAGE);
    process.exit(2);
  }
  const simulator = await start({ port, host: values.host });
  process.stdout.write(`${JSON.stringify({ name: simulator.name, url: simulator.url })}\n`);
  const end = (): void => void simulator.close().then(() => process.exit(0));
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
}

main().catch((problem: unknown) => {
  process.stderr.write(`${problem instanceof Error ? problem.message : String(problem)}\n`);
  process.exit(1);
});

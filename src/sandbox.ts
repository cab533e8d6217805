import './shared/own-source-maps';
import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import { ChildEnded } from './sandbox/child';
import { findDifferences, matchAccounts } from './sandbox/compare';
import { syncAll } from './sandbox/first-sync';
import { SandboxFolder } from './sandbox/folder';
import { importOperations, operationDifferences } from './sandbox/import-operations';
import { whenNpmEnds } from './sandbox/launcher';
import { nextStepLines } from './sandbox/next-steps';
import { operationLines } from './sandbox/operations-report';
import { readOptions, USAGE, UsageProblem, type Options } from './sandbox/options';
import { Processes } from './sandbox/processes';
import { planAccounts, registerDemo, tellSimulators } from './sandbox/register-demo';
import { reportLines, verdictLines } from './sandbox/report';
import { Terminal } from './sandbox/terminal';
import { errorMessage } from './shared/error-code';
import { StartProblem } from './shared/start-problem';

const terminal = new Terminal(process.stdout);

/** Ctrl-C and its relatives; an Error so that it passes through everything that is under way. */
class Stopped extends Error {
  constructor(readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') {
    super(signal);
  }
}

const stopped = new Promise<never>((_resolve, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => reject(new Stopped(signal)));
  whenNpmEnds(() => reject(new Stopped('SIGHUP')));
});
stopped.catch(() => undefined);

/** Starts, syncs and prints. @returns whether everything came out as foreseen */
async function showFirstSync(options: Options, folder: SandboxFolder, processes: Processes): Promise<boolean> {
  const simulators = await terminal.step('Starting the simulators of myPOS, OneSingleView and AMLYZE', () =>
    processes.startSimulators(),
  );
  const api = await terminal.step('Starting the gateway with a Postgres of its own', () =>
    processes.startGateway(simulators.amlyze.url),
  );
  const accounts = await planAccounts(api, options.accounts);
  await terminal.step(`Registering 2 banks and ${accounts.length} accounts`, async () => {
    await tellSimulators(simulators, accounts);
    await registerDemo(api, simulators, accounts);
  });
  const seen = await terminal.step('Reading every balance, delivering to AMLYZE', (progress) =>
    syncAll(api, simulators, progress),
  );
  const imported = await terminal.step('Importing past card payments', () => importOperations(api, simulators));
  const results = matchAccounts(accounts, seen);
  const differences = findDifferences(results, seen);
  const { paint } = terminal;
  const lines = [
    '',
    ...reportLines(results, seen, paint),
    ...verdictLines(differences, { results, seen, paint }),
    ...operationLines(imported, paint),
    ...nextStepLines({ api, simulators, logs: folder.file('*.log'), results, paint }),
    '',
  ];
  for (const line of lines) terminal.line(line);
  return differences.length === 0 && operationDifferences(imported).length === 0;
}

/** @returns the exit code */
async function run(options: Options): Promise<number> {
  terminal.line(terminal.paint('bold', 'The sandbox: two banks, the gateway and AMLYZE on this machine'));
  terminal.line();
  let asForeseen: boolean | undefined;
  let processes: Processes | undefined;
  try {
    const folder = await SandboxFolder.open(process.env['DATA_DIR'] ?? '.data', options.keep);
    processes = new Processes(folder, randomBytes(32).toString('base64url'), (text) => terminal.line(text));
    const { failed } = processes;
    asForeseen = await Promise.race([showFirstSync(options, folder, processes), failed, stopped]);
    if (!options.once) {
      terminal.line(terminal.paint('bold', 'The gateway goes on with its schedule. Ctrl-C ends everything.'));
      await Promise.race([failed, stopped]);
    }
    return asForeseen ? 0 : 1;
  } catch (error) {
    if (!(error instanceof Stopped)) return explain(error);
    terminal.line();
    return asForeseen === undefined ? 128 + constants.signals[error.signal] : asForeseen ? 0 : 1;
  } finally {
    if (processes) {
      const ending = processes;
      await terminal.step('Ending the gateway, its Postgres and the simulators', () => ending.end());
    }
  }
}

/** @returns the exit code */
function explain(error: unknown): number {
  terminal.line();
  const refused = error instanceof ChildEnded && error.lastWords.startsWith('The gateway does not start');
  if (!refused) terminal.line(terminal.paint('red', errorMessage(error)));
  if (error instanceof ChildEnded) {
    // What the gateway says about its start is meant for a person as it stands; the rest is a log's end.
    for (const line of error.lastWords.split('\n')) terminal.line(refused ? terminal.paint('red', line) : `  ${line}`);
    terminal.line(`Its log: ${error.program.logFile}`);
  } else if (!(error instanceof StartProblem)) {
    terminal.line(terminal.paint('dim', error instanceof Error ? (error.stack ?? '') : ''));
  }
  return 1;
}

async function main(): Promise<number> {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options !== 'help') return await run(options);
    terminal.line(USAGE);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageProblem)) throw error;
    process.stderr.write(`${error.message}\n\n${USAGE}`);
    return 2;
  }
}

void main().then((code) => process.exit(code));

import { READING_OUTCOMES } from '../balances/outcome';
import { RECORD_STATES } from '../outbox/record-state';
import type { AccountResult, Difference } from './compare';
import type { Seen } from './first-sync';
import { BANKS } from './register-demo';
import type { Paint } from './terminal';
import { OUTCOME_WORDS, recordWords } from './words';

/** Cases that a reader may want to follow, the more surprising ones first. */
const WORTH_A_LOOK = [
  ['onesingleview', 'credit-line-clear'],
  ['onesingleview', 'credit-line-unclear'],
  ['mypos', 'overdraft'],
  ['mypos', 'many-digits'],
  ['onesingleview', 'several-types'],
  ['mypos', 'unknown-to-amlyze'],
  ['mypos', 'number-taken'],
] as const;

const MAX_DIFFERENCES = 50;
const LABEL_WIDTH = 20;

type Format = Parameters<Paint>[0];

interface Row {
  label: string;
  count: number;
  words: string;
  format: Format;
}

/** The tables of what was read and sent, as lines. */
export function reportLines(results: readonly AccountResult[], seen: Seen, paint: Paint): string[] {
  const banks = BANKS.flatMap(({ bank, title }) =>
    bankLines(
      title,
      results.filter(({ account }) => account.bank === bank),
      paint,
    ),
  );
  const seconds = Number.isNaN(seen.seconds) ? '' : `, read in ${seen.seconds.toFixed(1)} s`;
  return [
    paint('bold', `${results.length} accounts at ${BANKS.length} banks, run ${seen.runId}${seconds}`),
    ...banks,
    ...exampleLines(results, paint),
  ];
}

function bankLines(title: string, results: readonly AccountResult[], paint: Paint): string[] {
  const answered = results.filter(({ reading }) => reading !== undefined).length;
  return [
    '',
    `${paint('bold', title)}: ${answered} accounts read`,
    '',
    header(['outcome', 'accounts', 'what it means'], paint),
    ...outcomeRows(results).map((row) => rowLine(row, paint)),
    '',
    header(['record', 'records', "AMLYZE's words, or ours where the gateway holds it"], paint),
    ...recordRows(results).map((row) => rowLine(row, paint)),
  ];
}

function outcomeRows(results: readonly AccountResult[]): Row[] {
  return READING_OUTCOMES.flatMap((outcome) => {
    const count = results.filter(({ reading }) => reading?.outcome === outcome).length;
    const format = outcome === 'READ' ? 'green' : 'yellow';
    return count === 0 ? [] : [{ label: outcome, count, words: OUTCOME_WORDS[outcome], format }];
  });
}

const STATE_FORMATS: Readonly<Record<string, Format>> = { accepted: 'green', rejected: 'red', exhausted: 'red' };

function recordRows(results: readonly AccountResult[]): Row[] {
  const records = results.flatMap(({ record }) => (record ? [record] : []));
  const groups = Map.groupBy(records, (record) => `${record.state}\n${recordWords(record)}`);
  const rank = (row: Row): number => [...RECORD_STATES, row.label].indexOf(row.label);
  return [...groups]
    .map(([name, { length }]) => {
      const [label = '', words = ''] = name.split('\n');
      return { label, count: length, words, format: STATE_FORMATS[label] ?? 'yellow' };
    })
    .sort((a, b) => rank(a) - rank(b) || b.count - a.count);
}

function exampleLines(results: readonly AccountResult[], paint: Paint): string[] {
  const chosen = WORTH_A_LOOK.flatMap(
    ([bank, kind]) => results.find(({ account }) => account.bank === bank && account.kind === kind) ?? [],
  );
  if (chosen.length === 0) return [];
  return [
    '',
    paint('bold', 'Worth a look'),
    '',
    ...chosen.map(({ account, reading, record }) => {
      const became = record ? `${record.value ?? ''} ${record.state}` : `${reading?.outcome ?? 'not read'}, not sent`;
      return `  ${account.accountExtId.padEnd(12)}${became.padEnd(38)}${paint('dim', account.foreseen.why)}`;
    }),
  ];
}

/** Whether all came as foreseen; where not, what did not. */
export function verdictLines(
  differences: readonly Difference[],
  { results, seen, paint }: { results: readonly AccountResult[]; seen: Seen; paint: Paint },
): string[] {
  if (differences.length === 0) {
    const all = `Foreseen and seen: no difference in ${results.length} accounts.`;
    const ledger = `AMLYZE's ledger has ${seen.ledger.length} records: the accepted ones, each once and digit for digit.`;
    return ['', paint('green', all), paint('green', ledger)];
  }
  const shown = differences.slice(0, MAX_DIFFERENCES);
  const more = differences.length - shown.length;
  return [
    '',
    paint('red', `Foreseen and seen: ${differences.length} differences`),
    ...shown.map(({ about, what, foreseen, seen: is }) => `  ${about}  ${what}: foreseen ${foreseen}, seen ${is}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function header([label, count, words]: [string, string, string], paint: Paint): string {
  return paint('dim', `  ${label.padEnd(LABEL_WIDTH)}${count.padStart(9)}  ${words}`);
}

function rowLine({ label, count, words, format }: Row, paint: Paint): string {
  return `  ${paint(format, label.padEnd(LABEL_WIDTH))}${String(count).padStart(9)}  ${words}`;
}

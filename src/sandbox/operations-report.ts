import type { Difference } from './compare';
import { operationDifferences, type ImportedOperations, type OperationResult } from './import-operations';
import type { Paint } from './terminal';
import { recordWords } from './words';

/** The import of card payments as lines: what was taken, what was refused by whom, and whether that was foreseen. */
export function operationLines(imported: ImportedOperations, paint: Paint): string[] {
  const { summary, results } = imported;
  const taken = summary.unchanged > 0 ? `${summary.unchanged} known already` : `${summary.taken} taken`;
  const title = `${paint('bold', 'Card payments')}: ${results.length} operations imported without monitoring`;
  return [
    '',
    `${title}, ${taken}, ${summary.refused} refused before sending`,
    '',
    paint('dim', `  ${'operation'.padEnd(13)}${'amount'.padStart(11)}     ${'became'.padEnd(10)}  why`),
    ...results.flatMap((result) => resultLines(result, paint)),
    '',
    ...verdict(operationDifferences(imported), results.length, paint),
  ];
}

/** where `why` begins */
const WORDS_COLUMN = 43;
const FORMATS = { accepted: 'green', rejected: 'red', refused: 'yellow' } as const;

function resultLines({ operation, finding, record }: OperationResult, paint: Paint): string[] {
  const { operationExtId, body, foreseen } = operation;
  const became = record?.state ?? finding?.kind ?? 'unknown';
  const format = Object.entries(FORMATS).find(([state]) => state === became)?.[1] ?? 'yellow';
  const amount = `${String(body['amount']).padStart(11)} ${String(body['currency'])}`;
  const line = `  ${operationExtId.padEnd(13)}${amount} ${paint(format, became.padEnd(10))}  ${foreseen.why}`;
  const words = [
    ...(finding === undefined ? [] : [`the gateway says ${finding.message}`]),
    ...(record === undefined || record.state === 'accepted' ? [] : [recordWords(record)]),
  ];
  return [line, ...words.map((text) => paint('dim', `${' '.repeat(WORDS_COLUMN)}${text}`))];
}

function verdict(differences: readonly Difference[], count: number, paint: Paint): string[] {
  if (differences.length === 0) return [paint('green', `Foreseen and seen: no difference in ${count} operations.`)];
  return [
    paint('red', `Foreseen and seen: ${differences.length} differences in ${count} operations`),
    ...differences.map(({ about, what, foreseen, seen }) => `  ${about}  ${what}: foreseen ${foreseen}, seen ${seen}`),
  ];
}

import { readCsvHeader, readCsvRow, type CsvColumns } from '../../admin/imports/csv';
import type { Line } from '../../admin/imports/split-lines';
import { maskCardNumbers } from '../../shared/card-scan';
import { JsonProblem, parseJson, type JsonValue } from '../../shared/json';
import type { FieldError } from '../../shared/problem';
import { ACCOUNT_FIELDS, type AccountFields, readAccountFields, REQUIRED_FIELDS } from '../account-rules';

/** What one line says, or what is wrong with it. */
export type ReadLine = { line: number; account: AccountFields } | { line: number; errors: FieldError[] };

/** One JSON object a line; empty lines are skipped. */
export async function* readNdjson(lines: AsyncIterable<Line>): AsyncGenerator<ReadLine> {
  for await (const { number, text, fault } of lines) {
    if (text === undefined) yield refused(number, fault);
    else if (text.trim() !== '') yield readJsonLine(number, text);
  }
}

const COLUMNS: CsvColumns = {
  known: new Set(ACCOUNT_FIELDS),
  required: REQUIRED_FIELDS,
  noun: 'field',
  listed: `of ${ACCOUNT_FIELDS.join(',')} (businessUnit may be left out)`,
};

/**
 * CSV with a header row, commas between the fields.
 *
 * @throws ApiProblem where the header row is not usable
 */
export async function* readCsv(all: AsyncGenerator<Line>): AsyncGenerator<ReadLine> {
  const { header, lines } = await readCsvHeader(all, COLUMNS);
  for await (const line of lines) {
    const row = readCsvRow(line, header);
    if (row === undefined) continue;
    if ('fault' in row) yield refused(line.number, row.fault);
    else yield toReadLine(line.number, toObject(header.names, row.cells));
  }
}

function toReadLine(line: number, value: JsonValue): ReadLine {
  const read = readAccountFields(value);
  return 'errors' in read ? { line, errors: read.errors } : { line, account: read };
}

function refused(line: number, message = 'cannot be read'): ReadLine {
  return { line, errors: [{ field: '', message }] };
}

function readJsonLine(line: number, text: string): ReadLine {
  try {
    return toReadLine(line, parseJson(text, { nulAllowed: true }));
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    return refused(line, `must be one well-formed JSON object: ${maskCardNumbers(error.message)}`);
  }
}

/** An empty cell is an absent field: CSV has no other way to leave one out. */
function toObject(header: readonly string[], cells: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    header.flatMap((name, at) => {
      const cell = cells[at] ?? '';
      return cell === '' ? [] : [[name, cell]];
    }),
  );
}

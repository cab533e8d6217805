import { readCsvHeader, readCsvRow, type CsvColumns, type CsvHeader, type CsvRow } from '../admin/imports/csv';
import type { Line } from '../admin/imports/split-lines';
import { JsonProblem, parseJson, type JsonObject, type JsonValue } from '../shared/json';
import { OPERATION_FIELDS, PARTY_FIELDS } from './fields';
import type { Finding } from './operation';

/** What one line says, before any rule of operations was asked, or why it cannot be read. */
export type ReadOperation = { line: number; input: JsonValue } | { line: number; errors: Finding[] };

/** Levels that a line may be nested: an operation has three. */
const MAX_DEPTH = 8;

/** One JSON object a line; empty lines are skipped. */
export async function* readNdjsonOperations(lines: AsyncIterable<Line>): AsyncGenerator<ReadOperation> {
  for await (const { number, text, fault } of lines) {
    if (text === undefined) yield refused(number, fault);
    else if (text.trim() !== '') yield parseLine(number, text);
  }
}

function parseLine(line: number, text: string): ReadOperation {
  try {
    return { line, input: parseJson(text, { maxDepth: MAX_DEPTH }) };
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    return refused(line, `must be one JSON object: ${error.message}`);
  }
}

const PARTY_COLUMNS = PARTY_FIELDS.map(({ name }) => name);
const PARTIES = [1, 2, 3, 4];
const LIST_COLUMN = 'initializeScreeningProcesses';
const FLAG_COLUMN = 'fastPayment';

/** Every column that a CSV of operations may have, in any order. A party's columns are party1.partyRole and so on. */
export const OPERATION_COLUMNS: readonly string[] = [
  ...OPERATION_FIELDS.map(({ name }) => name),
  'action',
  'sourceOfRiskLevel',
  ...PARTIES.flatMap((party) => PARTY_COLUMNS.map((column) => `party${party}.${column}`)),
];

const COLUMNS: CsvColumns = {
  known: new Set(OPERATION_COLUMNS),
  required: ['operationExtId'],
  noun: 'column',
  listed:
    `out of ${OPERATION_COLUMNS.filter((column) => !column.includes('.')).join(',')} and, for party1 to party4, ` +
    PARTY_COLUMNS.map((column) => `party1.${column}`).join(','),
};

/**
 * Nothing is to be opened for a file without a usable header row, so it is read before all other lines.
 *
 * @throws ApiProblem where the header row is not usable
 */
export function readOperationsHeader(
  lines: AsyncGenerator<Line>,
): Promise<{ header: CsvHeader; lines: AsyncGenerator<Line> }> {
  return readCsvHeader(lines, COLUMNS);
}

/**
 * CSV with commas between the fields, no line break within one. An empty cell is an absent field; a party without any
 * filled cell is no party; the elements of initializeScreeningProcesses are separated by `|`.
 */
export async function* readCsvOperations(lines: AsyncIterable<Line>, header: CsvHeader): AsyncGenerator<ReadOperation> {
  for await (const line of lines) {
    const row = readCsvRow(line, header);
    if (row !== undefined) yield toOperation(line.number, header, row);
  }
}

function toOperation(line: number, header: CsvHeader, row: CsvRow): ReadOperation {
  if ('fault' in row) return refused(line, row.fault);
  if (row.cells.some((cell) => cell.includes('\0'))) return refused(line, 'must not contain the character U+0000');
  return { line, input: toInput(header.names, row.cells) };
}

function toInput(header: readonly string[], cells: readonly string[]): JsonObject {
  const operation = bare();
  const parties = new Map<string, JsonObject>();
  header.forEach((column, at) => {
    const cell = cells[at] ?? '';
    if (cell === '') return;
    const [party = '', field] = column.split('.');
    if (field === undefined) {
      operation[column] = toValue(column, cell);
      return;
    }
    const known = parties.get(party) ?? bare();
    known[field] = cell;
    parties.set(party, known);
  });
  const filled = [...parties].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, party]) => party);
  if (filled.length > 0) operation['listOperationParty'] = filled;
  return operation;
}

/** A decimal stays the text that it is: the rules read its digits from there. */
function toValue(column: string, cell: string): JsonValue {
  if (column === LIST_COLUMN) return cell.split('|');
  if (column === FLAG_COLUMN && (cell === 'true' || cell === 'false')) return cell === 'true';
  return cell;
}

function bare(): JsonObject {
  return Object.create(null) as JsonObject;
}

function refused(line: number, message = 'cannot be read'): ReadOperation {
  return { line, errors: [{ field: '', message }] };
}

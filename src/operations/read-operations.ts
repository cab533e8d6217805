import { parseCsvLine } from '../accounts/import/read-lines';
import type { Line } from '../accounts/import/split-lines';
import { JsonProblem, parseJson, type JsonObject, type JsonValue } from '../shared/json';
import { ApiProblem } from '../shared/problem';
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
const KNOWN_COLUMNS: ReadonlySet<string> = new Set(OPERATION_COLUMNS);

/**
 * The same lines, once the header row among them was found good: nothing is to be opened for a file without one.
 *
 * @throws ApiProblem where the header row is not usable
 */
export async function withGoodHeader(lines: AsyncGenerator<Line>): Promise<AsyncGenerator<Line>> {
  let first = await lines.next();
  while (!first.done && first.value.text?.trim() === '') first = await lines.next();
  if (first.done) throw headerProblem('the file is empty');
  readHeader(first.value.text);
  return withFirst(first.value, lines);
}

async function* withFirst(first: Line, rest: AsyncIterable<Line>): AsyncGenerator<Line> {
  yield first;
  yield* rest;
}

/**
 * CSV with a header row, commas between the fields, no line break within one. An empty cell is an absent field; a party
 * without any filled cell is no party; the elements of initializeScreeningProcesses are separated by `|`.
 *
 * @throws ApiProblem where the header row is not usable
 */
export async function* readCsvOperations(lines: AsyncIterable<Line>): AsyncGenerator<ReadOperation> {
  let header: string[] | undefined;
  for await (const { number, text, fault } of lines) {
    if (text !== undefined && text.trim() === '') continue;
    if (header === undefined) header = readHeader(text);
    else if (text === undefined) yield refused(number, fault);
    else yield readRow(number, header, text);
  }
  if (header === undefined) throw headerProblem('the file is empty');
}

function readRow(line: number, header: readonly string[], text: string): ReadOperation {
  const cells = parseCsvLine(text);
  if (cells === undefined) return refused(line, 'is not well-formed CSV: check the quotes');
  if (cells.length !== header.length) {
    return refused(line, `must have ${header.length} fields like the header row, but has ${cells.length}`);
  }
  if (text.includes('\0')) return refused(line, 'must not contain the character U+0000');
  return { line, input: toInput(header, cells) };
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

function readHeader(text: string | undefined): string[] {
  const header = ((text === undefined ? undefined : parseCsvLine(text)) ?? []).map((name) => name.trim());
  if (header.some((name) => !KNOWN_COLUMNS.has(name))) throw headerProblem('it has a column that is none of these');
  if (new Set(header).size !== header.length) throw headerProblem('it names a column twice');
  if (!header.includes('operationExtId')) throw headerProblem('operationExtId is missing');
  return header;
}

function headerProblem(what: string): ApiProblem {
  const own = OPERATION_COLUMNS.filter((column) => !column.includes('.')).join(',');
  const message =
    `must be a header row out of ${own} and, for party1 to party4, ` +
    `${PARTY_COLUMNS.map((column) => `party1.${column}`).join(',')}: ${what}`;
  return ApiProblem.invalid([{ field: 'line 1', message }]);
}

function refused(line: number, message = 'cannot be read'): ReadOperation {
  return { line, errors: [{ field: '', message }] };
}

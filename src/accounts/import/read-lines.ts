import { parse } from 'csv-parse/sync';
import { ApiProblem, type FieldError } from '../../shared/problem';
import { ACCOUNT_FIELDS, type AccountFields, readAccountFields, REQUIRED_FIELDS } from '../account-rules';
import type { Line } from './split-lines';

/** What one line says, or what is wrong with it. */
export type ReadLine = { line: number; account: AccountFields } | { line: number; errors: FieldError[] };

/** One JSON object a line; empty lines are skipped. */
export async function* readNdjson(lines: AsyncIterable<Line>): AsyncGenerator<ReadLine> {
  for await (const { number, text, fault } of lines) {
    if (text === undefined) yield refused(number, fault);
    else if (text.trim() !== '') yield toReadLine(number, parseJsonLine(text));
  }
}

/**
 * CSV with a header row, commas between the fields. A line break ends the record even within quotes: no field may hold
 * one, and a forgotten quote would otherwise swallow all the good lines after it.
 *
 * @throws ApiProblem where the header row is not usable
 */
export async function* readCsv(lines: AsyncIterable<Line>): AsyncGenerator<ReadLine> {
  let header: string[] | undefined;
  for await (const { number, text, fault } of lines) {
    if (text !== undefined && text.trim() === '') continue;
    if (header === undefined) {
      header = readHeader(text);
      continue;
    }
    const cells = text === undefined ? undefined : parseCsvLine(text);
    if (text === undefined) yield refused(number, fault);
    else if (cells === undefined) yield refused(number, 'is not well-formed CSV: check the quotes');
    else if (cells.length !== header.length) {
      yield refused(number, `must have ${header.length} fields like the header row, but has ${cells.length}`);
    } else yield toReadLine(number, toObject(header, cells));
  }
  if (header === undefined) throw headerProblem('the file is empty');
}

function toReadLine(line: number, value: unknown): ReadLine {
  const read = readAccountFields(value);
  return 'errors' in read ? { line, errors: read.errors } : { line, account: read };
}

function refused(line: number, message = 'cannot be read'): ReadLine {
  return { line, errors: [{ field: '', message }] };
}

function parseJsonLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The cells of one line of CSV; undefined where its quotes do not add up. */
export function parseCsvLine(text: string): string[] | undefined {
  if (!text.includes('"')) return text.split(',');
  try {
    const [record, ...more] = parse(text, { relax_column_count: true });
    return more.length === 0 ? record : undefined;
  } catch {
    return undefined;
  }
}

function readHeader(text: string | undefined): string[] {
  const names = (text === undefined ? undefined : parseCsvLine(text)) ?? [];
  const header = names.map((name) => name.trim());
  const known: readonly string[] = ACCOUNT_FIELDS;
  if (header.some((name) => !known.includes(name))) throw headerProblem('it has a field that is none of these');
  if (new Set(header).size !== header.length) throw headerProblem('it names a field twice');
  const missing = REQUIRED_FIELDS.filter((name) => !header.includes(name));
  if (missing.length > 0) throw headerProblem(`${missing.join(', ')} is missing`);
  return header;
}

function headerProblem(what: string): ApiProblem {
  const message = `must be a header row of ${ACCOUNT_FIELDS.join(',')} (businessUnit may be left out): ${what}`;
  return ApiProblem.invalid([{ field: 'line 1', message }]);
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

import { parse } from 'csv-parse/sync';
import { ApiProblem } from '../../shared/problem';
import type { Line } from './split-lines';

/** The columns that a CSV may have, in any order, and how messages speak of them. */
export interface CsvColumns {
  known: ReadonlySet<string>;
  required: readonly string[];
  noun: 'field' | 'column';
  /** Follows upon "must be a header row". */
  listed: string;
}

export interface CsvHeader {
  names: readonly string[];
  /** Number of the line that it is. */
  line: number;
}

/**
 * Reads up to the header row. The lines that come back are the same ones from it on, for whoever has to see all of them.
 *
 * @throws ApiProblem where the header row is not usable
 */
export async function readCsvHeader(
  lines: AsyncGenerator<Line>,
  columns: CsvColumns,
): Promise<{ header: CsvHeader; lines: AsyncGenerator<Line> }> {
  let first = await lines.next();
  while (!first.done && isBlank(first.value)) first = await lines.next();
  if (first.done) throw headerProblem(1, columns, 'the file is empty');
  const { number } = first.value;
  const read = readNames(first.value, columns);
  if ('fault' in read) {
    await lines.return(undefined);
    throw headerProblem(number, columns, read.fault);
  }
  return { header: { names: read.names, line: number }, lines: withFirst(first.value, lines) };
}

function readNames(
  { text, fault: unreadable = 'cannot be read' }: Line,
  columns: CsvColumns,
): { names: string[] } | { fault: string } {
  if (text === undefined) return { fault: `it ${unreadable}` };
  const names = parseCsvLine(text)?.map((name) => name.trim());
  if (names === undefined) return { fault: 'its quotes do not add up' };
  const fault = faultOf(names, columns);
  return fault === undefined ? { names } : { fault };
}

/**
 * The cells of one line behind the header row; undefined for the header row itself and for an empty line. A line break ends
 * the record even within quotes: no field may hold one, and a forgotten quote would otherwise swallow all the good lines
 * after it.
 */
export function readCsvRow(line: Line, { names, line: headerLine }: CsvHeader): CsvRow | undefined {
  if (line.number <= headerLine || isBlank(line)) return undefined;
  if (line.text === undefined) return { fault: line.fault };
  const cells = parseCsvLine(line.text);
  if (cells === undefined) return { fault: 'is not well-formed CSV: check the quotes' };
  if (cells.length !== names.length) {
    return { fault: `must have ${names.length} fields like the header row, but has ${cells.length}` };
  }
  return { cells };
}

export type CsvRow = { cells: string[] } | { fault: string | undefined };

function isBlank({ text }: Line): boolean {
  return text?.trim() === '';
}

/** The cells of one line of CSV; undefined where its quotes do not add up. */
function parseCsvLine(text: string): string[] | undefined {
  if (!text.includes('"')) return text.split(',');
  try {
    const [record, ...more] = parse(text, { relax_column_count: true });
    return more.length === 0 ? record : undefined;
  } catch {
    return undefined;
  }
}

function faultOf(names: readonly string[], { known, required, noun }: CsvColumns): string | undefined {
  // Which one, and not what it holds: in a file without a header row that is somebody's data.
  const stranger = names.findIndex((name) => !known.has(name));
  const commas = names.length === 1 ? '; commas have to stand between them' : '';
  if (stranger >= 0) return `its ${noun} ${stranger + 1} is none of these${commas}`;
  if (new Set(names).size !== names.length) return `it names a ${noun} twice`;
  const missing = required.filter((name) => !names.includes(name));
  return missing.length > 0 ? `${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} missing` : undefined;
}

function headerProblem(line: number, { listed }: CsvColumns, what: string): ApiProblem {
  return ApiProblem.invalid([{ field: `line ${line}`, message: `must be a header row ${listed}: ${what}` }]);
}

async function* withFirst(first: Line, rest: AsyncGenerator<Line>): AsyncGenerator<Line> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

import { maskCardNumbers } from '../shared/card-scan';
import { isJsonObject } from '../shared/json';
import { shownText } from '../shared/shown-text';
import { toCandidate, type Candidate } from './candidate';
import type { ChunkCounts, LineFinding } from './import-ledger';
import type { Finding, OperationRules } from './operation';
import type { ReadOperation } from './read-operations';
import { validateOperation } from './validate-operation';

/** A line after all rules that need no database. */
export interface CheckedLine {
  line: number;
  /** As far as the line tells one; masked where it could be a card number. */
  operationExtId: string | undefined;
  candidate: Candidate | undefined;
  errors: Finding[];
  warnings: Finding[];
  dropped: Finding[];
  young: boolean;
}

/** What a line that cannot be read, or breaks a rule, has in place of an operation. */
const NOTHING = { candidate: undefined, warnings: [], dropped: [], young: false };

export function checkLine(read: ReadOperation, rules: OperationRules, delivery: 'single' | 'batch'): CheckedLine {
  if ('errors' in read) {
    return { ...NOTHING, line: read.line, operationExtId: undefined, errors: read.errors.map(masked) };
  }
  const { line, input } = read;
  const operationExtId = isJsonObject(input) ? shownId(input['operationExtId']) : undefined;
  const check = validateOperation(input, rules);
  if (!check.ok) return { ...NOTHING, line, operationExtId, errors: check.errors.map(masked) };
  return {
    line,
    operationExtId,
    candidate: toCandidate(line, check.operation, delivery),
    errors: [],
    warnings: check.warnings.map(masked),
    dropped: check.dropped.map(masked),
    young: check.young,
  };
}

/** Findings name fields and rules; an unknown field's name is the caller's, so it may be anything. */
function masked({ field, message }: Finding): Finding {
  return { field: maskCardNumbers(field), message: maskCardNumbers(message) };
}

const SHOWN_CHARACTERS = 255;

function shownId(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  return shownText(value, SHOWN_CHARACTERS);
}

/** The findings of checked lines, for the ledger. */
export function findingsOf({ line, operationExtId, errors, warnings, dropped }: CheckedLine): LineFinding[] {
  const kinds = [
    { kind: 'refused', findings: errors },
    { kind: 'warned', findings: warnings },
    { kind: 'dropped', findings: dropped },
  ] as const;
  return kinds.flatMap(({ kind, findings }) => (findings.length > 0 ? [{ line, kind, operationExtId, findings }] : []));
}

export function noCounts(): ChunkCounts {
  return { lines: 0, taken: 0, unchanged: 0, refused: 0, warned: 0, young: false };
}

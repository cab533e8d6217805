import type { ImportState } from './import-ledger';
import type { TakenChunk, TakenLine } from './operation-intake';
import type { OperationAnswerDto, OperationImportDto, OperationListAnswerDto } from './operations.dto';

const YOUNG =
  'Some operations are younger than 24 hours. An import without monitoring is meant for past operations: AMLYZE does not ' +
  'assess the risk of what comes this way.';

/** What an import as a whole has to be told of. */
function importWarnings(young: boolean): string[] {
  return young ? [YOUNG] : [];
}

export function toImportView(state: ImportState): OperationImportDto {
  return {
    importId: state.id,
    source: state.source,
    status: state.status,
    lines: state.lines,
    taken: state.taken,
    unchanged: state.unchanged,
    refused: state.refused,
    warned: state.warned,
    nextLine: state.nextLine,
    startedAt: state.startedAt.toISOString(),
    finishedAt: state.finishedAt?.toISOString() ?? null,
    warnings: importWarnings(state.young),
  };
}

export function toListAnswer(importId: string, { counts, lines }: TakenChunk): OperationListAnswerDto {
  return {
    importId,
    taken: counts.taken,
    unchanged: counts.unchanged,
    refused: lines.flatMap(toRefused),
    warned: lines.flatMap(toWarned),
    warnings: importWarnings(counts.young),
  };
}

function toRefused({ checked, outcome }: TakenLine): OperationListAnswerDto['refused'] {
  const { line, operationExtId } = checked;
  const errors = outcome?.kind === 'conflict' ? outcome.errors : checked.errors;
  return errors.length > 0 ? [{ line, operationExtId: operationExtId ?? null, errors }] : [];
}

function toWarned({ checked: { line, warnings, dropped } }: TakenLine): OperationListAnswerDto['warned'] {
  return warnings.length + dropped.length > 0 ? [{ line, warnings, dropped }] : [];
}

/** The answer about a single operation that was not refused. */
export function toAnswer(importId: string, { counts, lines }: TakenChunk): OperationAnswerDto {
  const [line] = lines;
  if (!line?.outcome || line.outcome.kind === 'conflict') throw new Error('a single operation has no outcome');
  const { kind: result, communicationNumber } = line.outcome;
  const young = counts.young ? [{ field: 'operationDateTime', message: YOUNG }] : [];
  const { warnings, dropped } = line.checked;
  return { importId, result, communicationNumber, warnings: [...warnings, ...young], dropped };
}

import { Injectable, Logger } from '@nestjs/common';
import { splitLines } from '../accounts/import/split-lines';
import { Database } from '../shared/database';
import { isDatabaseUnavailable } from '../shared/database-failure';
import { ApiProblem } from '../shared/problem';
import type { CheckedLine } from './check-line';
import { interruptImport, type ImportState } from './import-ledger';
import { OperationIntake } from './operation-intake';
import { readCsvOperations, readNdjsonOperations } from './read-operations';

export const IMPORT_TYPES = { ndjson: 'application/x-ndjson', csv: 'text/csv' } as const;

/** Large enough that the round trips cost little, small enough that nothing else waits for long. */
const CHUNK_LINES = 250;

/** Reads operations from a stream of any length; whatever ends it, complete chunks are stored and can be gone on from. */
@Injectable()
export class OperationImport {
  private readonly logger = new Logger(OperationImport.name);

  constructor(
    private readonly database: Database,
    private readonly intake: OperationIntake,
  ) {}

  /**
   * Begins an import, or goes on where the last request with this key stopped.
   *
   * @param idempotencyKey without one an interrupted import cannot be gone on with; sent again it is a new one, in which what
   *   was stored counts as unchanged
   * @throws ApiProblem where the import cannot go on
   */
  async run(body: AsyncIterable<Buffer>, type: string, idempotencyKey: string | undefined): Promise<ImportState> {
    const source = type === IMPORT_TYPES.csv ? 'csv' : 'ndjson';
    const state = await this.intake.open(source, idempotencyKey);
    if (state.source !== source) {
      throw ApiProblem.conflict(`This Idempotency-Key belongs to import ${state.id}, which came as ${state.source}.`);
    }
    if (state.status === 'finished') {
      // A client that is still sending would not read an answer before its end.
      for await (const _ of body);
      return state;
    }
    let nextLine = state.nextLine;
    try {
      await this.takeAll(body, state, (line) => (nextLine = line));
      return await this.intake.finish(state);
    } catch (error) {
      await interruptImport(this.database, state).catch(() => undefined);
      if (error instanceof ApiProblem) throw error;
      throw this.stopped(error, state.id, nextLine, idempotencyKey !== undefined);
    }
  }

  private async takeAll(
    body: AsyncIterable<Buffer>,
    state: ImportState,
    committed: (nextLine: number) => void,
  ): Promise<void> {
    const lines = splitLines(body);
    const read = state.source === 'csv' ? readCsvOperations(lines) : readNdjsonOperations(lines);
    const rules = this.intake.rules();
    let chunk: CheckedLine[] = [];
    const store = async (): Promise<void> => {
      const last = chunk.at(-1);
      if (!last) return;
      await this.intake.takeChunk(state, chunk, last.line + 1);
      committed(last.line + 1);
      chunk = [];
    };
    for await (const line of read) {
      if (line.line < state.nextLine) continue;
      chunk.push(this.intake.check(line, rules));
      if (chunk.length >= CHUNK_LINES) await store();
    }
    await store();
  }

  private stopped(error: unknown, importId: string, line: number, resumable: boolean): ApiProblem {
    this.logger.warn({ msg: 'an import of operations stopped', err: error, importId, nextLine: line });
    const again = resumable
      ? 'Send the same body with the same Idempotency-Key again: it goes on from there.'
      : 'Send the same body again: what is stored only counts as unchanged.';
    return new ApiProblem({
      status: isDatabaseUnavailable(error) ? 503 : 500,
      name: 'import-stopped',
      title: 'Import stopped',
      detail: `Import ${importId} is stored up to line ${line - 1}. ${again}`,
      extra: { importId, nextLine: line },
    });
  }
}

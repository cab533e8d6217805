import { Injectable, Logger } from '@nestjs/common';
import type { CsvHeader } from '../admin/imports/csv';
import { IMPORT_TYPES } from '../admin/imports/import-body';
import { splitLines, type Line } from '../admin/imports/split-lines';
import { Database } from '../shared/database';
import { isDatabaseUnavailable } from '../shared/database-failure';
import { ApiProblem } from '../shared/problem';
import type { CheckedLine } from './check-line';
import { ImportDigests, type BodyDigest } from './import-digest';
import { interruptIdleImports, interruptImport, type ImportState } from './import-ledger';
import { OperationIntake } from './operation-intake';
import { readCsvOperations, readNdjsonOperations, readOperationsHeader } from './read-operations';

/** Large enough that the round trips cost little, small enough that nothing else waits for long. */
const CHUNK_LINES = 250;
/** The server closes a silent connection after two minutes, so no request lives behind an import that stood still for this. */
const IDLE_MINUTES = 10;

/** One request's way through its body. */
interface Reading {
  state: ImportState;
  lines: AsyncIterable<Line>;
  /** Of a CSV. */
  header: CsvHeader | undefined;
  digest: BodyDigest | undefined;
  /** First line that is not committed. */
  nextLine: number;
}

/** Reads operations from a stream of any length; whatever ends it, complete chunks are stored and can be gone on from. */
@Injectable()
export class OperationImport {
  private readonly logger = new Logger(OperationImport.name);

  constructor(
    private readonly database: Database,
    private readonly intake: OperationIntake,
    private readonly digests: ImportDigests,
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
    const split = splitLines(body);
    const { header, lines } =
      source === 'csv' ? await readOperationsHeader(split) : { header: undefined, lines: split };
    const state = await this.intake.open(source, idempotencyKey);
    if (state.source !== source) {
      throw ApiProblem.conflict(`This Idempotency-Key belongs to import ${state.id}, which came as ${state.source}.`);
    }
    // Nothing comes again where no key lets it.
    const digest = idempotencyKey === undefined ? undefined : this.digests.begin(state);
    const followed = digest?.follow(lines) ?? lines;
    if (state.status === 'finished') {
      for await (const _ of followed);
      return state;
    }
    const reading: Reading = { state, lines: followed, header, digest, nextLine: state.nextLine };
    try {
      await this.takeAll(reading);
      return await this.intake.finish(state, digest?.current());
    } catch (error) {
      await interruptImport(this.database, state).catch(() => undefined);
      if (error instanceof ApiProblem) throw error;
      throw this.stopped(error, reading, idempotencyKey !== undefined);
    }
  }

  /** Called every minute: an import whose process was killed has nobody else to say that it is interrupted. */
  async interruptIdle(): Promise<void> {
    const idle = await interruptIdleImports(this.database, IDLE_MINUTES);
    for (const importId of idle) this.logger.warn({ msg: 'an import stood still and counts as interrupted', importId });
  }

  private async takeAll(reading: Reading): Promise<void> {
    const { state, lines, header, digest } = reading;
    const read = header ? readCsvOperations(lines, header) : readNdjsonOperations(lines);
    const rules = this.intake.rules();
    let chunk: CheckedLine[] = [];
    const store = async (): Promise<void> => {
      const last = chunk.at(-1);
      if (!last) return;
      const nextLine = last.line + 1;
      await this.intake.takeChunk(state, chunk, { nextLine, digest: digest?.current() });
      reading.nextLine = nextLine;
      chunk = [];
    };
    for await (const line of read) {
      if (line.line < state.nextLine) continue;
      chunk.push(this.intake.check(line, rules));
      if (chunk.length >= CHUNK_LINES) await store();
    }
    await store();
  }

  private stopped(error: unknown, { state: { id: importId }, nextLine }: Reading, resumable: boolean): ApiProblem {
    this.logger.warn({ msg: 'an import of operations stopped', err: error, importId, nextLine });
    const again = resumable
      ? 'Send the same body with the same Idempotency-Key again: it goes on from there.'
      : 'Send the same body again: what is stored only counts as unchanged.';
    return new ApiProblem({
      status: isDatabaseUnavailable(error) ? 503 : 500,
      name: 'import-stopped',
      title: 'Import stopped',
      detail: `Import ${importId} is stored up to line ${nextLine - 1}. ${again}`,
      extra: { importId, nextLine },
    });
  }
}

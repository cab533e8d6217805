import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { CsvHeader } from '../admin/imports/csv';
import { IMPORT_TYPES } from '../admin/imports/import-body';
import { splitLines, type Line } from '../admin/imports/split-lines';
import { Database } from '../shared/database';
import { isDatabaseUnavailable } from '../shared/database-failure';
import { ApiProblem } from '../shared/problem';
import { within } from '../shared/within';
import type { CheckedLine } from './check-line';
import { ImportDigests, type BodyDigest } from './import-digest';
import {
  findImport,
  interruptIdleImports,
  interruptImport,
  takeUpImport,
  touchImports,
  type ImportState,
} from './import-ledger';
import { OperationIntake } from './operation-intake';
import { readCsvOperations, readNdjsonOperations, readOperationsHeader } from './read-operations';

/** Large enough that the round trips cost little, small enough that nothing else waits for long. */
const CHUNK_LINES = 250;
/** A request that lives touches its import every minute, see `tend`, so none lives behind one that stood still for this. */
const IDLE_MINUTES = 10;
/** At a stop, until a request that waits for its client's lines is not waited for. */
const STOP_GRACE_MS = 1_000;

class GatewayStops extends Error {
  override readonly message = 'the gateway stops';
}

/** One request's way through its body. */
interface Reading {
  /** As it was opened, and from when it is held as it was taken up. */
  state: ImportState;
  /** The import is this request's: nobody else is at it, or they were shut out. */
  held: boolean;
  lines: AsyncIterable<Line>;
  /** Of a CSV. */
  header: CsvHeader | undefined;
  digest: BodyDigest | undefined;
  /** First line that is not committed. */
  nextLine: number;
  /** Settled once the request is through with it. */
  ended: PromiseWithResolvers<void>;
}

/** Reads operations from a stream of any length; whatever ends it, complete chunks are stored and can be gone on from. */
@Injectable()
export class OperationImport implements BeforeApplicationShutdown {
  private readonly logger = new Logger(OperationImport.name);
  private readonly underWay = new Set<Reading>();
  private stopping = false;

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
    const { state, begun } = await this.intake.open(source, idempotencyKey);
    if (state.source !== source) {
      throw ApiProblem.conflict(`This Idempotency-Key belongs to import ${state.id}, which came as ${state.source}.`);
    }
    // Nothing comes again where no key lets it.
    const digest = idempotencyKey === undefined ? undefined : this.digests.begin(state);
    const ended = Promise.withResolvers<void>();
    const reading: Reading = { state, held: begun, lines, header, digest, nextLine: state.nextLine, ended };
    if (digest) reading.lines = digest.follow(lines, () => this.takeUp(reading));
    this.underWay.add(reading);
    try {
      await this.takeAll(reading);
      if (reading.state.status === 'finished') return reading.state;
      return await this.intake.finish(reading.state, digest?.current());
    } catch (error) {
      if (!reading.held) throw error;
      await interruptImport(this.database, reading.state).catch(() => undefined);
      if (error instanceof ApiProblem) throw error;
      throw this.stopped(error, reading, idempotencyKey !== undefined);
    } finally {
      this.underWay.delete(reading);
      ended.resolve();
    }
  }

  /** While connections are open and the database is there: every request ends behind its last whole chunk, and its caller is told so. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await within(STOP_GRACE_MS, Promise.all([...this.underWay].map(({ ended }) => ended.promise)));
    for (const { held, state, nextLine } of this.underWay) {
      if (!held) continue;
      this.logger.warn({ msg: 'an import of operations is interrupted by the stop', importId: state.id, nextLine });
      await interruptImport(this.database, state).catch(() => undefined);
    }
  }

  /**
   * Called every minute: an import whose request lives says so, however slowly its lines come, and one whose process was killed has
   * nobody else to say that it is interrupted.
   */
  async tend(): Promise<void> {
    const held = [...this.underWay].filter((reading) => reading.held);
    await touchImports(
      this.database,
      held.map(({ state }) => state),
    );
    const idle = await interruptIdleImports(this.database, IDLE_MINUTES);
    for (const importId of idle) this.logger.warn({ msg: 'an import stood still and counts as interrupted', importId });
  }

  /** Only now that the body is known to be the stored one: another must not stop a request that is still at it. */
  private async takeUp(reading: Reading): Promise<ImportState | undefined> {
    if (reading.held) return undefined;
    const taken = await takeUpImport(this.database, reading.state);
    const state = taken ?? (await findImport(this.database, reading.state.id));
    if (!state) throw new Error('an import that is gone on with is gone');
    reading.state = state;
    reading.nextLine = state.nextLine;
    reading.held = taken !== undefined;
    return taken ? undefined : state;
  }

  private async takeAll(reading: Reading): Promise<void> {
    const { lines, header, digest } = reading;
    const read = header ? readCsvOperations(lines, header) : readNdjsonOperations(lines);
    const rules = this.intake.rules();
    let chunk: CheckedLine[] = [];
    const store = async (): Promise<void> => {
      const last = chunk.at(-1);
      if (!last) return;
      const nextLine = last.line + 1;
      await this.intake.takeChunk(reading.state, chunk, { nextLine, digest: digest?.current() });
      reading.nextLine = nextLine;
      chunk = [];
    };
    for await (const line of read) {
      if (this.stopping) throw new GatewayStops();
      // What is handed on of a finished import is only compared.
      if (line.line < reading.state.nextLine || reading.state.status === 'finished') continue;
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
      status: error instanceof GatewayStops || isDatabaseUnavailable(error) ? 503 : 500,
      name: 'import-stopped',
      title: 'Import stopped',
      detail: `Import ${importId} is stored up to line ${nextLine - 1}. ${again}`,
      extra: { importId, nextLine },
    });
  }
}

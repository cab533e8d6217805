import { Injectable, Logger } from '@nestjs/common';
import { AuditTrail } from '../../admin/audit-trail';
import { IMPORT_TYPES } from '../../admin/imports/import-body';
import { splitLines } from '../../admin/imports/split-lines';
import { Environment } from '../../config/environment';
import { Database } from '../../shared/database';
import { classifyDatabaseFailure, isDatabaseUnavailable } from '../../shared/database-failure';
import { ApiProblem } from '../../shared/problem';
import { readCsv, readNdjson, type ReadLine } from './read-lines';
import { Rejections } from './rejections';
import { storeChunk, type StoredChunk, type ValidLine } from './store-chunk';

/** Large enough that the round trips cost little, small enough for one short transaction. */
const CHUNK_LINES = 1_000;
const MAX_REPEATS = 3;

export interface ImportResult {
  created: number;
  updated: number;
  rejected: Rejections;
}

/** Reads accounts from a stream of any length, chunk by chunk; every chunk is stored whole or not at all. */
@Injectable()
export class AccountImport {
  private readonly logger = new Logger(AccountImport.name);

  constructor(
    private readonly database: Database,
    private readonly audit: AuditTrail,
    private readonly environment: Environment,
  ) {}

  /**
   * @param rejected is filled line by line; the caller disposes of it
   * @throws ApiProblem where the import cannot go on; it says what is stored already
   */
  async run(body: AsyncIterable<Buffer>, type: string, rejected: Rejections): Promise<ImportResult> {
    const lines = splitLines(body);
    const read = type === IMPORT_TYPES.csv ? readCsv(lines) : readNdjson(lines);
    const result: ImportResult = { created: 0, updated: 0, rejected };
    let chunk: ReadLine[] = [];
    let stored = 0;
    try {
      for await (const line of read) {
        chunk.push(line);
        if (chunk.length < CHUNK_LINES) continue;
        await this.store(chunk, result);
        stored = line.line;
        chunk = [];
      }
      await this.store(chunk, result);
    } catch (error) {
      if (error instanceof ApiProblem) throw error;
      throw this.stopped(error, result, stored);
    }
    return result;
  }

  private async store(chunk: readonly ReadLine[], result: ImportResult): Promise<void> {
    if (chunk.length === 0) return;
    const valid = chunk.filter((line): line is ValidLine => 'account' in line);
    const stored = await this.commit(valid, chunk);
    result.created += stored.created;
    result.updated += stored.updated;
    const bad = chunk.filter((line) => 'errors' in line);
    for (const rejection of [...bad, ...stored.rejected].sort((a, b) => a.line - b.line)) {
      await result.rejected.add(rejection);
    }
  }

  private async commit(valid: readonly ValidLine[], chunk: readonly ReadLine[]): Promise<StoredChunk> {
    for (let repeat = 0; ; repeat += 1) {
      try {
        return await this.database.transaction(async (tx) => {
          const stored = await storeChunk(tx, valid, this.environment.amlyzeBusinessUnit);
          const { created, updated } = stored;
          if (created + updated === 0) return stored;
          const detail = { fromLine: chunk[0]?.line, toLine: chunk.at(-1)?.line, created, updated };
          await this.audit.append(tx, { action: 'account.import', target: 'accounts', detail });
          return stored;
        });
      } catch (error) {
        // Two imports can wait for each other; the database ends one of them, which may simply try again.
        if (classifyDatabaseFailure(error) !== 'conflict' || repeat >= MAX_REPEATS) throw error;
      }
    }
  }

  private stopped(error: unknown, { created, updated }: ImportResult, line: number): ApiProblem {
    const unavailable = isDatabaseUnavailable(error);
    this.logger.warn({ msg: 'an import of accounts stopped', err: error, created, updated, line });
    return new ApiProblem({
      status: unavailable ? 503 : 500,
      name: 'import-stopped',
      title: 'Import stopped',
      detail:
        `The lines up to ${line} are stored, as far as they were good. ` +
        'Send the file again: lines that are stored already only count as updated.',
      extra: { created, updated, line },
    });
  }
}

import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../admin/audit-trail';
import { Installation } from '../amlyze/installation';
import { Environment } from '../config/environment';
import { DeliveryWorker } from '../delivery/delivery.worker';
import type { OperationChannel } from '../outbox/enqueue-operations';
import { violatedUnique } from '../shared/constraint';
import { Database, type Queryable } from '../shared/database';
import { DatabaseClock } from '../shared/database-clock';
import { classifyDatabaseFailure } from '../shared/database-failure';
import type { JsonValue } from '../shared/json';
import { ApiProblem } from '../shared/problem';
import type { Outcome } from './candidate';
import { CardVault } from './card-vault';
import { checkLine, findingsOf, noCounts, type CheckedLine } from './check-line';
import { operationRules } from './classifiers';
import {
  advanceImport,
  finishImport,
  holdImport,
  openImport,
  type ChunkCounts,
  type ImportSource,
  type ImportState,
  type LineFinding,
  type Progress,
} from './import-ledger';
import type { OperationRules } from './operation';
import type { ReadOperation } from './read-operations';
import { Preflight } from './preflight';
import { takeChunk } from './take-chunk';

/** Operations that one JSON request may bring; more come by the import, which is a stream. */
export const MAX_LIST = 1_000;

/** Deadlocks and races for a number end in the same work done again. */
const MAX_REPEATS = 5;

/** A line and what became of it; undefined where a rule refused it before. */
export interface TakenLine {
  checked: CheckedLine;
  outcome: Outcome | undefined;
}

export interface TakenChunk {
  counts: ChunkCounts;
  lines: TakenLine[];
}

/** Takes checked operations into the outbox, chunk by chunk, each chunk in one transaction. */
@Injectable()
export class OperationIntake {
  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
    private readonly clock: DatabaseClock,
    private readonly installation: Installation,
    private readonly vault: CardVault,
    private readonly audit: AuditTrail,
    private readonly delivery: DeliveryWorker,
    private readonly preflight: Preflight,
  ) {}

  /** @throws ApiProblem 409 where the institution has not said that it wants this */
  assertEnabled(): void {
    if (this.environment.operationsImport !== undefined) return;
    throw ApiProblem.conflict(
      'Operations are off. AMLYZE takes imported operations without monitoring them; where that is meant, start the gateway ' +
        'with OPERATIONS_IMPORT=without-monitoring.',
    );
  }

  rules(): OperationRules {
    return operationRules(this.environment, this.clock.now());
  }

  check(read: ReadOperation, rules: OperationRules): CheckedLine {
    return checkLine(read, rules, this.environment.operationsDelivery);
  }

  /** One import of its own for operations that came in one JSON text: stored whole, or with `atomic` not at all. */
  async takeList(inputs: readonly JsonValue[], atomic = false): Promise<{ importId: string; chunk: TakenChunk }> {
    const rules = this.rules();
    const lines = await this.preflight.ask(inputs.map((input, at) => this.check({ line: at + 1, input }, rules)));
    if (atomic) refuseFaulty(lines);
    const taken = await this.repeatable(async (tx) => {
      const { state } = await openImport(tx, 'json', undefined);
      const chunk = await this.takeLines(tx, state, lines, { nextLine: inputs.length + 1, digest: undefined });
      if (atomic) refuseConflicts(chunk);
      await finishImport(tx, state);
      return { importId: state.id, chunk };
    });
    this.announce(taken.chunk);
    return taken;
  }

  async open(
    source: ImportSource,
    idempotencyKey: string | undefined,
  ): Promise<{ state: ImportState; begun: boolean }> {
    return this.database.transaction((tx) => openImport(tx, source, idempotencyKey));
  }

  /** @throws ApiProblem 409 where a newer request goes on with this import */
  async takeChunk(state: ImportState, checked: readonly CheckedLine[], progress: Progress): Promise<ChunkCounts> {
    const lines = await this.preflight.ask(checked);
    const chunk = await this.repeatable(async (tx) => {
      if (!(await holdImport(tx, state))) throw takenOver(state.id);
      return this.takeLines(tx, state, lines, progress);
    });
    this.announce(chunk);
    return chunk.counts;
  }

  async finish(state: ImportState, digest: Buffer | undefined): Promise<ImportState> {
    const finished = await this.database.transaction((tx) => finishImport(tx, state, digest));
    if (!finished) throw takenOver(state.id);
    return finished;
  }

  private announce({ lines }: TakenChunk): void {
    const due = new Map<OperationChannel, number>();
    for (const { checked, outcome } of lines) {
      const channel = checked.candidate?.channel;
      if (channel === undefined || (outcome?.kind !== 'taken' && outcome?.kind !== 'restored')) continue;
      due.set(channel, (due.get(channel) ?? 0) + 1);
    }
    for (const [channel, records] of due) this.delivery.announce(records, channel);
  }

  private async takeLines(
    tx: Queryable,
    state: ImportState,
    lines: readonly CheckedLine[],
    progress: Progress,
  ): Promise<TakenChunk> {
    const candidates = lines.flatMap(({ candidate }) => candidate ?? []);
    const identity = await this.installation.identity();
    const outcomes = await takeChunk(tx, candidates, { importId: state.id, identity, vault: this.vault });
    const taken = lines.map((checked) => ({ checked, outcome: outcomes.get(checked.line) }));
    const counts = countOf(taken);
    await advanceImport(tx, state.id, { ...progress, counts, findings: taken.flatMap(ledgerFindings) });
    if (counts.taken > 0 || taken.some(({ outcome }) => outcome?.kind === 'restored')) {
      const { taken: operations, unchanged, refused } = counts;
      const detail = { fromLine: lines[0]?.line, toLine: lines.at(-1)?.line, taken: operations, unchanged, refused };
      await this.audit.append(tx, { action: 'operation.import', target: `operation-import:${state.id}`, detail });
    }
    return { counts, lines: taken };
  }

  private async repeatable<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    for (let repeat = 0; ; repeat += 1) {
      try {
        return await this.database.transaction(work);
      } catch (error) {
        const raced =
          classifyDatabaseFailure(error) === 'conflict' || violatedUnique(error) === 'amlyze_record_number_unique';
        if (!raced || repeat >= MAX_REPEATS) throw error;
      }
    }
  }
}

function refuseFaulty(lines: readonly CheckedLine[]): void {
  const errors = lines.flatMap((line) => line.errors);
  if (errors.length > 0) throw ApiProblem.invalid(errors);
}

function refuseConflicts({ lines }: TakenChunk): void {
  for (const { outcome } of lines) {
    if (outcome?.kind !== 'conflict') continue;
    const { existing, received, errors } = outcome;
    const detail = errors.map(({ field, message }) => `${field} ${message}.`).join(' ');
    throw ApiProblem.conflict(detail, existing === undefined ? {} : { existing, received });
  }
}

function takenOver(importId: string): ApiProblem {
  return ApiProblem.conflict(
    `Another request goes on with import ${importId}; this one stopped at its last whole chunk.`,
  );
}

function countOf(lines: readonly TakenLine[]): ChunkCounts {
  const counts = noCounts();
  for (const { checked, outcome } of lines) {
    counts.lines += 1;
    if (outcome === undefined || outcome.kind === 'conflict') counts.refused += 1;
    else if (outcome.kind === 'taken') counts.taken += 1;
    else counts.unchanged += 1;
    if (checked.warnings.length > 0 || checked.dropped.length > 0) counts.warned += 1;
    if (outcome?.kind === 'taken' && checked.young) counts.young = true;
  }
  return counts;
}

function ledgerFindings({ checked, outcome }: TakenLine): LineFinding[] {
  const { line, operationExtId } = checked;
  if (outcome?.kind !== 'conflict') return findingsOf(checked);
  return [...findingsOf(checked), { line, kind: 'conflict', operationExtId, findings: outcome.errors }];
}

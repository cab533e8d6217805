import type { Queryable } from '../shared/database';
import type { Finding } from './operation';

export type ImportSource = 'json' | 'ndjson' | 'csv';

/** An import as far as it is committed. */
export interface ImportState {
  id: string;
  source: ImportSource;
  status: 'running' | 'finished' | 'interrupted';
  epoch: number;
  nextLine: number;
  lines: number;
  taken: number;
  unchanged: number;
  refused: number;
  warned: number;
  young: boolean;
  startedAt: Date;
  finishedAt: Date | null;
  /** Of the body as far as it is committed; see import-digest.ts. */
  digest: Buffer | undefined;
}

/** How far a body is committed. */
export interface Progress {
  /** First line that is not. */
  nextLine: number;
  digest: Buffer | undefined;
}

/** What one chunk adds to its import. */
export interface ChunkCounts {
  lines: number;
  taken: number;
  unchanged: number;
  refused: number;
  warned: number;
  young: boolean;
}

export const FINDING_KINDS = ['refused', 'conflict', 'warned', 'dropped'] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

export interface LineFinding {
  line: number;
  kind: FindingKind;
  /** Masked where it could be a card number. */
  operationExtId: string | undefined;
  findings: Finding[];
}

interface ImportRow {
  id: string;
  source: ImportSource;
  status: ImportState['status'];
  epoch: number;
  next_line: string;
  lines: string;
  taken: string;
  unchanged: string;
  refused: string;
  warned: string;
  young: boolean;
  started_at: Date;
  finished_at: Date | null;
  body_digest: Buffer | null;
}

const COLUMNS =
  'id, source, status, epoch, next_line, lines, taken, unchanged, refused, warned, young, started_at, finished_at, body_digest';

function toState(row: ImportRow): ImportState {
  return {
    id: row.id,
    source: row.source,
    status: row.status,
    epoch: row.epoch,
    // Line counts stay far below 2^53.
    nextLine: Number(row.next_line),
    lines: Number(row.lines),
    taken: Number(row.taken),
    unchanged: Number(row.unchanged),
    refused: Number(row.refused),
    warned: Number(row.warned),
    young: row.young,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    digest: row.body_digest ?? undefined,
  };
}

/** Begins an import, or finds the one of this key as it stands; `begun` where it is this request's already. */
export async function openImport(
  tx: Queryable,
  source: ImportSource,
  idempotencyKey: string | undefined,
): Promise<{ state: ImportState; begun: boolean }> {
  const [begun] = await tx.query<ImportRow>(
    `insert into operation_import (source, idempotency_key) values ($1, $2) on conflict (idempotency_key) do nothing returning ${COLUMNS}`,
    [source, idempotencyKey ?? null],
  );
  if (begun) return { state: toState(begun), begun: true };
  const [known] = await tx.query<ImportRow>(`select ${COLUMNS} from operation_import where idempotency_key = $1`, [
    idempotencyKey,
  ]);
  if (!known) throw new Error('an import that was in the way is gone');
  return { state: toState(known), begun: false };
}

/**
 * Makes an import this request's and shuts older requests for it out; undefined where it stands no longer as the body was
 * compared with it, because another request has stored more.
 */
export async function takeUpImport(
  tx: Queryable,
  { id, nextLine }: Pick<ImportState, 'id' | 'nextLine'>,
): Promise<ImportState | undefined> {
  const [taken] = await tx.query<ImportRow>(
    `update operation_import set epoch = epoch + 1, status = 'running', touched_at = now()
where id = $1 and next_line = $2 and status <> 'finished' returning ${COLUMNS}`,
    [id, nextLine],
  );
  return taken && toState(taken);
}

/**
 * Holds the import for one chunk; false where a newer request goes on with it. The epoch alone decides that: one that
 * `interruptIdleImports` gave up by mistake is running again with its next chunk.
 */
export async function holdImport(tx: Queryable, { id, epoch }: Pick<ImportState, 'id' | 'epoch'>): Promise<boolean> {
  const rows = await tx.query(
    `select from operation_import where id = $1 and epoch = $2 and status <> 'finished' for update`,
    [id, epoch],
  );
  return rows.length > 0;
}

/** What one chunk did, and how far the import is with it. */
export interface ChunkDone extends Progress {
  counts: ChunkCounts;
  findings: readonly LineFinding[];
}

/** Writes down what a chunk did, in its transaction. */
export async function advanceImport(
  tx: Queryable,
  importId: string,
  { counts, findings, nextLine, digest }: ChunkDone,
): Promise<void> {
  await tx.query(
    `update operation_import set next_line = $2, lines = lines + $3, taken = taken + $4, unchanged = unchanged + $5,
  refused = refused + $6, warned = warned + $7, young = young or $8, body_digest = $9, status = 'running', touched_at = now() where id = $1`,
    [
      importId,
      nextLine,
      counts.lines,
      counts.taken,
      counts.unchanged,
      counts.refused,
      counts.warned,
      counts.young,
      digest ?? null,
    ],
  );
  if (findings.length === 0) return;
  await tx.query(
    `insert into operation_import_finding (import_id, line, kind, operation_ext_id, findings)
select $1, * from unnest($2::bigint[], $3::text[], $4::text[], $5::json[])`,
    [
      importId,
      findings.map(({ line }) => line),
      findings.map(({ kind }) => kind),
      findings.map(({ operationExtId }) => operationExtId ?? null),
      findings.map((item) => JSON.stringify(item.findings)),
    ],
  );
}

export async function finishImport(
  tx: Queryable,
  { id, epoch }: Pick<ImportState, 'id' | 'epoch'>,
  digest?: Buffer,
): Promise<ImportState | undefined> {
  const [row] = await tx.query<ImportRow>(
    `update operation_import set status = 'finished', finished_at = now(), body_digest = $3 where id = $1 and epoch = $2 and status <> 'finished'
returning ${COLUMNS}`,
    [id, epoch, digest ?? null],
  );
  return row && toState(row);
}

/** Marks that no request goes on with it for now. */
export async function interruptImport(tx: Queryable, { id, epoch }: Pick<ImportState, 'id' | 'epoch'>): Promise<void> {
  await tx.query(
    `update operation_import set status = 'interrupted' where id = $1 and epoch = $2 and status = 'running'`,
    [id, epoch],
  );
}

/** Says that the requests of these imports live. One whose chunk is being stored is left out: the chunk says so itself. */
export async function touchImports(db: Queryable, held: readonly Pick<ImportState, 'id' | 'epoch'>[]): Promise<void> {
  if (held.length === 0) return;
  await db.query(
    `update operation_import set touched_at = now() where id in (
  select i.id from operation_import i join unnest($1::bigint[], $2::integer[]) as h(id, epoch) on i.id = h.id and i.epoch = h.epoch
  where i.status = 'running' for update of i skip locked)`,
    [held.map(({ id }) => id), held.map(({ epoch }) => epoch)],
  );
}

/** Marks imports that have stood still: their process was killed, or their client is gone. Returns their ids. */
export async function interruptIdleImports(db: Queryable, idleMinutes: number): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `update operation_import set status = 'interrupted'
where status = 'running' and touched_at < now() - make_interval(mins => $1) returning id`,
    [idleMinutes],
  );
  return rows.map(({ id }) => id);
}

export async function findImport(db: Queryable, id: string): Promise<ImportState | undefined> {
  const [row] = await db.query<ImportRow>(`select ${COLUMNS} from operation_import where id = $1`, [id]);
  return row && toState(row);
}

/** Imports after `afterId`, oldest first, one more than `limit` where there are more. */
export async function findImports(db: Queryable, afterId: string | undefined, limit: number): Promise<ImportState[]> {
  const rows = await db.query<ImportRow>(`select ${COLUMNS} from operation_import where id > $1 order by id limit $2`, [
    afterId ?? '0',
    limit + 1,
  ]);
  return rows.map(toState);
}

// One number that orders the findings of an import: a line has at most one of each kind.
const PLACE = `line * ${FINDING_KINDS.length} + array_position(array['${FINDING_KINDS.join(`','`)}'], kind) - 1`;

/** The findings of an import in the order of their lines; `place` is the cursor. */
export async function findFindings(
  db: Queryable,
  importId: string,
  afterPlace: string | undefined,
  limit: number,
): Promise<(LineFinding & { place: string })[]> {
  const rows = await db.query<{
    place: string;
    line: string;
    kind: FindingKind;
    operation_ext_id: string | null;
    findings: Finding[];
  }>(
    `select ${PLACE} as place, line, kind, operation_ext_id, findings from operation_import_finding
where import_id = $1 and line >= $2::bigint / ${FINDING_KINDS.length} and ${PLACE} > $2 order by line, ${PLACE} limit $3`,
    [importId, afterPlace ?? '0', limit + 1],
  );
  return rows.map((row) => ({
    place: row.place,
    line: Number(row.line),
    kind: row.kind,
    operationExtId: row.operation_ext_id ?? undefined,
    findings: row.findings,
  }));
}

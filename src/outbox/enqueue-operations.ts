import type { Queryable } from '../shared/database';

/** The AMLYZE endpoint that an operation goes to. */
export type OperationChannel = 'operation-single' | 'operation-batch';

/** An operation about to be frozen. */
export interface NewOperationRecord {
  communicationNumber: string;
  businessUnit: string | undefined;
  operationExtId: string;
  channel: OperationChannel;
  /** From 1; the key's latest revision must be the one before. */
  revision: number;
  supersedes: { communicationNumber: string; reason: 'corrected' | 'new-number' } | undefined;
  /** The frozen bytes, or their ciphertext where `digest` is set. */
  payload: string;
  /** Keyed hash of the plain bytes of a sealed payload. */
  digest: Buffer | undefined;
  contentHash: Buffer;
  importId: string;
}

// Not prepared: within one import the table may grow from nothing to millions of rows, and each chunk needs a plan of its own.
// Sorted by the business key, so that two imports of the same operations wait for each other instead of in a circle.
const ENQUEUE = `
with fresh as materialized (
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::text[], $9::bytea[],
    $10::bytea[], $11::bigint[])
  as n(communication_number, business_unit, operation_ext_id, channel, revision, supersedes, supersedes_reason, payload, digest,
    content_hash, import_id)
), keyed as (
  insert into operation as o (business_unit, operation_ext_id, revision, content_hash, communication_number, import_id)
  select coalesce(business_unit, ''), operation_ext_id, revision, content_hash, communication_number, import_id from fresh
  order by 1, 2
  on conflict (business_unit, operation_ext_id) do update
  set revision = excluded.revision, content_hash = excluded.content_hash, communication_number = excluded.communication_number,
      import_id = excluded.import_id
  where o.revision = excluded.revision - 1
  returning communication_number
), recorded as (
  insert into amlyze_record (communication_number, kind, channel, business_unit, operation_ext_id, revision, supersedes,
    supersedes_reason, payload, sealed, sealed_at, payload_digest)
  select communication_number, 'operation', channel, business_unit, operation_ext_id, revision, supersedes, supersedes_reason, payload,
    digest is not null, case when digest is not null then now() end, digest
  from fresh join keyed using (communication_number)
  returning id, channel, revision, sealed
), stated as (
  insert into record_state (record_id, channel, revision, card_data)
  select id, channel, revision, case when sealed then 'kept' end from recorded
)
select communication_number from keyed`;

/**
 * Puts operations into the outbox together with their business keys, in the caller's transaction. Returns the numbers that
 * were taken; of a key that another transaction has moved on in between nothing is stored. A number that is used already makes
 * it fail whole.
 */
export async function enqueueOperations(tx: Queryable, records: readonly NewOperationRecord[]): Promise<Set<string>> {
  if (records.length === 0) return new Set();
  const column = <T>(pick: (record: NewOperationRecord) => T): T[] => records.map(pick);
  const rows = await tx.query<{ communication_number: string }>(ENQUEUE, [
    column((r) => r.communicationNumber),
    column((r) => r.businessUnit ?? null),
    column((r) => r.operationExtId),
    column((r) => r.channel),
    column((r) => r.revision),
    column((r) => r.supersedes?.communicationNumber ?? null),
    column((r) => r.supersedes?.reason ?? null),
    column((r) => r.payload),
    column((r) => r.digest ?? null),
    column((r) => r.contentHash),
    column((r) => r.importId),
  ]);
  return new Set(rows.map((row) => row.communication_number));
}

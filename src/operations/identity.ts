import type { OperationChannel } from '../outbox/enqueue-operations';
import type { RecordState } from '../outbox/record-state';
import type { Queryable } from '../shared/database';

/** What makes two operations the same one: AMLYZE knows them by these two. */
export interface BusinessKey {
  businessUnit: string | undefined;
  operationExtId: string;
}

/** A business key as one text, for maps and for the communicationNumber's digest. */
export function keyText({ businessUnit, operationExtId }: BusinessKey): string {
  return JSON.stringify([businessUnit ?? '', operationExtId]);
}

/** What is known of a business key: its latest revision and how that one fared. */
export interface KnownOperation {
  revision: number;
  contentHash: Buffer;
  communicationNumber: string;
  recordId: string;
  channel: OperationChannel;
  state: RecordState;
  reason: string | null;
  inDoubt: boolean;
  shredded: boolean;
  payloadDigest: Buffer | null;
}

export interface Found {
  known: KnownOperation | undefined;
  /** The number that the caller brought belongs to a record already. */
  numberUsed: boolean;
}

interface FoundRow {
  revision: number | null;
  content_hash: Buffer;
  communication_number: string;
  record_id: string;
  channel: OperationChannel;
  state: RecordState;
  reason: string | null;
  in_doubt: boolean;
  shredded: boolean;
  payload_digest: Buffer | null;
  number_used: boolean;
}

// `limit 1`, true by the unique indexes anyway, keeps the planner to one index look-up a line while the tables grow.
const FIND = `
select o.revision, o.content_hash, o.communication_number, r.id as record_id, r.channel, s.state, s.reason, s.in_doubt,
  r.payload is null as shredded, r.payload_digest,
  w.number is not null and exists (select from amlyze_record n where n.communication_number = w.number) as number_used
from unnest($1::text[], $2::text[], $3::text[]) with ordinality as w(business_unit, operation_ext_id, number, at)
left join lateral (
  select * from operation where business_unit = w.business_unit and operation_ext_id = w.operation_ext_id limit 1
) o on true
left join lateral (select * from amlyze_record where communication_number = o.communication_number limit 1) r on true
left join lateral (select * from record_state where record_id = r.id limit 1) s on true
order by w.at`;

/** Looks up many keys at once, in the order asked. */
export async function findOperations(
  tx: Queryable,
  keys: readonly (BusinessKey & { callerNumber: string | undefined })[],
): Promise<Found[]> {
  const rows = await tx.query<FoundRow>(FIND, [
    keys.map((key) => key.businessUnit ?? ''),
    keys.map((key) => key.operationExtId),
    keys.map((key) => key.callerNumber ?? null),
  ]);
  return rows.map((row) => ({ known: toKnown(row), numberUsed: row.number_used }));
}

/** Holds the keys' latest records until the transaction ends: no verdict and no requeue comes between the decision and its act. */
export async function lockRecords(tx: Queryable, recordIds: readonly string[]): Promise<void> {
  await tx.query(
    'select record_id from record_state where record_id = any($1::bigint[]) order by record_id for update',
    [recordIds],
  );
}

function toKnown(row: FoundRow): KnownOperation | undefined {
  if (row.revision === null) return undefined;
  return {
    revision: row.revision,
    contentHash: row.content_hash,
    communicationNumber: row.communication_number,
    recordId: row.record_id,
    channel: row.channel,
    state: row.state,
    reason: row.reason,
    inDoubt: row.in_doubt,
    shredded: row.shredded,
    payloadDigest: row.payload_digest,
  };
}

/**
 * What becomes of an operation whose key is looked up:
 * - `new`: the key's first revision
 * - `unchanged`: the same content is known, the first result stands
 * - `restore`: the same content is known, but its frozen request was shredded before AMLYZE accepted it
 * - `revise`: other content, and AMLYZE definitely refused the one before: the next revision
 * - `conflict`: other content under a key that is in use
 * - `number-used`: the number that the caller brought is another record's
 */
export type Decision = 'new' | 'unchanged' | 'restore' | 'revise' | 'conflict' | 'number-used';

/** @param sameContent whether the content equals that of the known revision */
export function decideIdentity({ known, numberUsed }: Found, sameContent: boolean): Decision {
  if (!known) return numberUsed ? 'number-used' : 'new';
  if (sameContent) return known.shredded && known.state !== 'accepted' ? 'restore' : 'unchanged';
  // A rejection after doubt is no proof that AMLYZE has nothing under this key.
  if (known.state !== 'rejected' || known.inDoubt) return 'conflict';
  return numberUsed ? 'number-used' : 'revise';
}

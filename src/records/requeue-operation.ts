import { communicationNumber } from '../amlyze/communication-number';
import type { CardVault } from '../operations/card-vault';
import { operationDay, renumbered } from '../operations/frozen-request';
import { keyText } from '../operations/identity';
import { enqueueOperations, type OperationChannel } from '../outbox/enqueue-operations';
import type { Queryable } from '../shared/database';

/** The parts of an operation's record that a requeue looks at. */
export interface OperationRow {
  communication_number: string;
  channel: string;
  business_unit: string | null;
  operation_ext_id: string | null;
  payload: string | null;
  sealed: boolean;
}

/** The latest revision of an operation's business key. */
export interface LatestOperation {
  revision: number;
  communication_number: string;
  content_hash: Buffer;
  import_id: string;
}

/**
 * The key's latest revision. To be asked after the record was locked: whoever makes a new revision locks the record before,
 * so that what is seen here stays true.
 */
export async function findLatest(tx: Queryable, row: OperationRow): Promise<LatestOperation | undefined> {
  const [latest] = await tx.query<LatestOperation>(
    `select revision, communication_number, content_hash, import_id from operation where business_unit = $1 and operation_ext_id = $2`,
    [row.business_unit ?? '', row.operation_ext_id],
  );
  return latest;
}

/** What speaks against requeueing this operation beside the rules that hold for every record. */
export function operationRefusal(row: OperationRow, latest: LatestOperation | undefined): string | undefined {
  if (latest?.communication_number !== row.communication_number) {
    return 'A later revision of this operation exists; requeue that one.';
  }
  if (row.payload === null) {
    return (
      'The card data of this operation was shredded when its time was over, and its request with it: it has to be resubmitted. ' +
      'Send the same operation again by POST /admin/operations, then requeue it.'
    );
  }
  return undefined;
}

/** Makes the next revision with the same content and a number of its own; card data is in clear only in memory. */
export async function makeNextOperation(
  tx: Queryable,
  row: OperationRow,
  latest: LatestOperation,
  context: { installationId: string; prefix: string; vault: CardVault },
): Promise<string> {
  const { communication_number: old, operation_ext_id: operationExtId, payload, sealed } = row;
  if (operationExtId === null || !isChannel(row.channel)) throw new Error(`record ${old} is no operation`);
  const businessUnit = row.business_unit ?? undefined;
  const bytes = context.vault.openPayload({ payload, sealed, communicationNumber: old });
  const revision = latest.revision + 1;
  const next = communicationNumber({
    prefix: context.prefix,
    installationId: context.installationId,
    kind: 'operation',
    date: operationDay(bytes),
    key: keyText({ businessUnit, operationExtId }),
    revision,
  });
  const frozen = renumbered(bytes, old, next);
  const stored = sealed ? context.vault.seal(frozen, next) : { payload: frozen, digest: undefined };
  const taken = await enqueueOperations(tx, [
    {
      communicationNumber: next,
      businessUnit,
      operationExtId,
      channel: row.channel,
      revision,
      supersedes: { communicationNumber: old, reason: 'new-number' },
      ...stored,
      contentHash: latest.content_hash,
      importId: latest.import_id,
    },
  ]);
  if (!taken.has(next)) throw new Error(`operation ${operationExtId} was revised in between`);
  return next;
}

function isChannel(channel: string): channel is OperationChannel {
  return channel === 'operation-single' || channel === 'operation-batch';
}

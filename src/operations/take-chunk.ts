import { communicationNumber } from '../amlyze/communication-number';
import type { RecordIdentity } from '../amlyze/installation';
import { enqueueOperations, type NewOperationRecord } from '../outbox/enqueue-operations';
import type { Queryable } from '../shared/database';
import { independentRounds, type Candidate, type Outcome } from './candidate';
import { showHash, type CardVault } from './card-vault';
import { decideIdentity, findOperations, keyText, lockRecords, type Decision, type KnownOperation } from './identity';
import { contentOf } from './operation-content';
import { buildOperationRecord } from './operation-record';

export interface ChunkContext {
  importId: string;
  identity: RecordIdentity;
  vault: CardVault;
}

/**
 * Stores one chunk of valid operations in the caller's transaction, with the result that storing them one by one would have.
 * Returns what became of each line.
 */
export async function takeChunk(
  tx: Queryable,
  candidates: readonly Candidate[],
  context: ChunkContext,
): Promise<Map<number, Outcome>> {
  const outcomes = new Map<number, Outcome>();
  for (const round of independentRounds(candidates)) await takeRound(tx, round, context, outcomes);
  return outcomes;
}

interface Decided {
  candidate: Candidate;
  known: KnownOperation | undefined;
  decision: Decision;
}

async function takeRound(
  tx: Queryable,
  round: readonly Candidate[],
  context: ChunkContext,
  outcomes: Map<number, Outcome>,
): Promise<void> {
  let decided = await decide(tx, round, context);
  const held = decided.filter(({ decision }) => decision === 'restore' || decision === 'revise');
  if (held.length > 0) {
    await lockRecords(
      tx,
      held.flatMap(({ known }) => (known ? [known.recordId] : [])),
    );
    // What was true before the lock may have changed while we waited for it.
    const again = await decide(
      tx,
      held.map(({ candidate }) => candidate),
      context,
    );
    decided = [...decided.filter((item) => !held.includes(item)), ...again];
  }
  const fresh = decided.filter(({ decision }) => decision === 'new' || decision === 'revise');
  const missed = await enqueue(tx, fresh, context, outcomes);
  for (const item of decided) {
    if (item.decision === 'new' || item.decision === 'revise') continue;
    const outcome = item.decision === 'restore' ? await restore(tx, item, context) : standing(item, context);
    outcomes.set(item.candidate.line, outcome);
  }
  // Another transaction took the key in between; it is visible now.
  if (missed.length > 0) await takeRound(tx, missed, context, outcomes);
}

async function decide(tx: Queryable, round: readonly Candidate[], { vault }: ChunkContext): Promise<Decided[]> {
  const found = await findOperations(
    tx,
    round.map(({ key, operation }) => ({ ...key, callerNumber: operation.communicationNumber })),
  );
  return round.flatMap((candidate, at): Decided[] => {
    const state = found[at];
    if (!state) return [];
    const same = state.known !== undefined && vault.isHashOf(state.known.contentHash, contentOf(candidate.operation));
    return [{ candidate, known: state.known, decision: decideIdentity(state, same) }];
  });
}

/** Returns the candidates whose key another transaction has moved on. */
async function enqueue(
  tx: Queryable,
  decided: readonly Decided[],
  context: ChunkContext,
  outcomes: Map<number, Outcome>,
): Promise<Candidate[]> {
  const records = decided.map((item) => toRecord(item, context));
  const taken = await enqueueOperations(tx, records);
  return decided.flatMap(({ candidate }, at) => {
    const number = records[at]?.communicationNumber;
    if (number === undefined || !taken.has(number)) return [candidate];
    outcomes.set(candidate.line, { kind: 'taken', communicationNumber: number });
    return [];
  });
}

function toRecord({ candidate, known }: Decided, context: ChunkContext): NewOperationRecord {
  const { key, operation, channel, cardData } = candidate;
  const revision = (known?.revision ?? 0) + 1;
  const number = operation.communicationNumber ?? operationNumber(candidate, revision, context.identity);
  const bytes = frozenBytes(candidate, number, context);
  const sealed = cardData ? context.vault.seal(bytes, number) : undefined;
  return {
    communicationNumber: number,
    businessUnit: key.businessUnit,
    operationExtId: key.operationExtId,
    channel,
    revision,
    supersedes: known && { communicationNumber: known.communicationNumber, reason: 'corrected' },
    payload: sealed?.payload ?? bytes,
    digest: sealed?.digest,
    contentHash: contentHash(candidate, context.vault),
    importId: context.importId,
  };
}

function contentHash({ operation, cardData }: Candidate, vault: CardVault): Buffer {
  const content = contentOf(operation);
  return cardData ? vault.keyedHash(content) : vault.plainHash(content);
}

function operationNumber({ key, operation }: Candidate, revision: number, identity: RecordIdentity): string {
  return communicationNumber({
    prefix: identity.prefix,
    installationId: identity.installationId,
    kind: 'operation',
    date: new Date(operation.operationDateTime).toISOString().slice(0, 10),
    key: keyText(key),
    revision,
  });
}

function frozenBytes({ operation, channel }: Candidate, number: string, { identity }: ChunkContext): string {
  const requester = operation.requester ?? identity.requester;
  return buildOperationRecord(operation, { communicationNumber: number, requester, channel });
}

const RESTORE = `
with stated as (
  update record_state
  set card_data = 'kept', state = case when reason = 'SHREDDED' then 'pending' else state end,
      settled_at = case when reason = 'SHREDDED' then null else settled_at end,
      next_attempt_at = case when reason = 'SHREDDED' then now() end,
      reason = case when reason = 'SHREDDED' then null else reason end
  where record_id = $1
)
update amlyze_record set payload = $2, payload_digest = $3, sealed_at = now(), shredded_at = null where id = $1`;

/** Gives a record its shredded bytes back; one that was still due when they were shredded is due again. */
async function restore(tx: Queryable, { candidate, known }: Decided, context: ChunkContext): Promise<Outcome> {
  if (!known) throw new Error('only a known operation can be restored');
  const { communicationNumber: number, channel, payloadDigest } = known;
  const bytes = frozenBytes({ ...candidate, channel }, number, context);
  // AMLYZE may have the old bytes: under their number nothing else may ever be sent.
  if (known.inDoubt && !(payloadDigest && context.vault.isHashOf(payloadDigest, bytes))) {
    const message =
      `is known as ${number}, which AMLYZE may have and whose bytes were shredded: ` +
      'send exactly what was sent first, digit for digit, or settle that record';
    return { kind: 'conflict', errors: [{ field: 'operationExtId', message }] };
  }
  const sealed = context.vault.seal(bytes, number);
  await tx.query(RESTORE, [known.recordId, sealed.payload, sealed.digest]);
  return { kind: 'restored', communicationNumber: number };
}

/** The outcome of a candidate that stores nothing. */
function standing({ candidate, known, decision }: Decided, { vault }: ChunkContext): Outcome {
  if (decision === 'number-used' || !known) {
    const message = 'is the number of another record: every operation and every revision needs a number of its own';
    return { kind: 'conflict', errors: [{ field: 'communicationNumber', message }] };
  }
  if (decision === 'unchanged') return { kind: 'unchanged', communicationNumber: known.communicationNumber };
  const received = contentHash(candidate, vault);
  return {
    kind: 'conflict',
    existing: showHash(known.contentHash),
    received: showHash(received),
    errors: [{ field: 'operationExtId', message: conflictMessage(known, received, vault) }],
  };
}

function conflictMessage(known: KnownOperation, received: Buffer, vault: CardVault): string {
  const where = `${known.communicationNumber}, which is ${known.state}${known.inDoubt ? ' and in doubt' : ''}`;
  if (!vault.canCompare(known.contentHash)) {
    return `is known as ${where}; whether its content is the same cannot be told, since its key is gone from CARD_DATA_KEYS`;
  }
  return (
    `is known with other content as ${where}: other content is only taken after AMLYZE has definitely refused the first ` +
    `(existing ${showHash(known.contentHash)}, received ${showHash(received)})`
  );
}

import type { ClaimedBatch } from '../outbox/claim';
import { cutInTwo, type Settlement } from '../outbox/settle';
import type { Queryable } from '../shared/database';
import type { Call } from './call';
import { returnToPool, type WholeVerdict } from './settlements';

/** A cut batch that found no success down to this depth asks the single endpoint whether anything is alive. */
const CANARY_DEPTH = 3;
/** How long the rest of such a batch waits for that answer. */
const CANARY_WAIT_MS = 2_000;

/** How a batch is cut. */
export interface Cut {
  cause: 'bad-request' | 'whole-failure';
  verdict: WholeVerdict;
  /** One record goes ahead alone, and the rest waits for its verdict; else the parts are halves. */
  canary?: boolean;
}

/** Makes the two parts that a failed batch goes on as, and says what becomes of each of its records. */
export async function cutBatch(db: Queryable, batch: ClaimedBatch, cut: Cut): Promise<Settlement[]> {
  const { cause, verdict, canary = false } = cut;
  const [first, second] = await cutInTwo(db, batch.group, cause);
  const firstPart = canary ? 1 : Math.ceil(batch.records.length / 2);
  return batch.records.map((record, index) => ({
    ...returnToPool(record, verdict),
    groupId: index < firstPart ? first : second,
    delayMs: canary && index >= firstPart ? CANARY_WAIT_MS : 0,
    wholeFailure: cause === 'whole-failure',
  }));
}

/** Cut so often without a success since the first cut that the fault may not be in the records at all. */
export async function needsCanary(db: Queryable, call: Call): Promise<boolean> {
  return (call.batch.group?.depth ?? 0) >= CANARY_DEPTH && !(await succeededSinceCut(db, call));
}

async function succeededSinceCut(db: Queryable, { lane, batch: { group } }: Call): Promise<boolean> {
  const [row] = await db.query<{ alive: boolean }>(
    'select coalesce(last_success_at > $2, false) as alive from amlyze_endpoint where endpoint = $1',
    [lane.endpoint, group?.rootCreatedAt],
  );
  return row?.alive === true;
}

/**
 * A record that cuts left alone was refused without a reason. The first time it is to blame itself where others got through since the
 * first cut; from then on it has failed before.
 */
export async function isRecordsOwnFault(db: Queryable, call: Call): Promise<boolean> {
  const failedBefore = call.batch.records.some((record) => record.wholeFailures > 0);
  return failedBefore ? isBatchesOwnFailure(db, call) : succeededSinceCut(db, call);
}

/**
 * Failed as a whole before, and other records got through since: then it is not the endpoint. Only the last failure
 * counts, so that an outage that begins after such a success pauses as any other and charges nobody.
 */
export async function isBatchesOwnFailure(db: Queryable, { batch, lane }: Call): Promise<boolean> {
  const suspects = batch.records.filter((record) => record.wholeFailures > 0);
  if (suspects.length === 0) return false;
  const [row] = await db.query<{ own: boolean }>(
    `select coalesce((select last_success_at from amlyze_endpoint where endpoint = $2) >
  (select max(d.settled_at) from delivery_result d where d.record_id = any($1::bigint[]) and d.verdict in ('in-doubt', 'refused', 'not-sent')), false) as own`,
    [suspects.map((record) => record.id), lane.endpoint],
  );
  return row?.own ?? false;
}

/**
 * No complete answer in time to more than one record: it may have been too many for the time there is. Where no byte
 * left, the time was lost before AMLYZE knew of them.
 */
export function ranOutOfTime({ result, batch }: Pick<Call, 'result' | 'batch'>): boolean {
  return (
    result.kind === 'failure' && result.cause === 'deadline' && result.bytesMayHaveLeft && batch.records.length > 1
  );
}

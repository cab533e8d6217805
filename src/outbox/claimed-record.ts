import { lookedUp } from '../shared/looked-up';

/** A record that this replica may send until the lease of its attempt ends. */
export interface ClaimedRecord {
  id: string;
  communicationNumber: string;
  accountExtId: string | undefined;
  operationExtId: string | undefined;
  businessUnit: string | undefined;
  /** The frozen bytes; what is sent is this text and nothing else. Ciphertext where `sealed`. */
  payload: string;
  sealed: boolean;
  /** An earlier send of this number may have arrived. */
  inDoubtBefore: boolean;
  /** AMLYZE definitely refused this number once, in answer to us. */
  rejectedBefore: boolean;
  /** AMLYZE had this number, or this operation, before any send of ours could have arrived. */
  collidedBefore: boolean;
  /** Attempts that the record itself was charged with. */
  attempts: number;
  /** Calls that failed as a whole with this record among others. */
  wholeFailures: number;
}

export interface ClaimedRow {
  id: string;
  communication_number: string;
  /** Absent where a channel's records are about no account. */
  account_ext_id?: string | null;
  operation_ext_id: string | null;
  business_unit: string | null;
  payload: string;
  sealed: boolean;
  was_in_doubt: boolean;
  /** Which of its results before forbid to take "already used" for a receipt, by their verdicts; null: none. */
  verdicts_before: ('rejected' | 'held')[] | null;
  attempts: number;
  whole_failures: number;
}

/**
 * Of a result `d`: AMLYZE had the number before any send of ours could have arrived. An answer that came too late proves nothing: what
 * took the number may be the send of who has taken over.
 */
export const COLLIDED = `d.verdict = 'held' and d.reason = 'COLLISION' and not d.late`;

/** Column `verdicts_before` of a claimed record `c`. A first claim needs no look at the results. */
export const VERDICTS_BEFORE = `case when c.claims > 1 then (select array_agg(distinct d.verdict) from delivery_result d
    where ${lookedUp('d.record_id', 'c.id')} and (d.verdict = 'rejected' or ${COLLIDED})) end as verdicts_before`;

export function toClaimedRecord(row: ClaimedRow): ClaimedRecord {
  return {
    id: row.id,
    communicationNumber: row.communication_number,
    accountExtId: row.account_ext_id ?? undefined,
    operationExtId: row.operation_ext_id ?? undefined,
    businessUnit: row.business_unit ?? undefined,
    payload: row.payload,
    sealed: row.sealed,
    inDoubtBefore: row.was_in_doubt,
    rejectedBefore: row.verdicts_before?.includes('rejected') ?? false,
    collidedBefore: row.verdicts_before?.includes('held') ?? false,
    attempts: row.attempts,
    wholeFailures: row.whole_failures,
  };
}

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
  rejected_before: boolean;
  attempts: number;
  whole_failures: number;
}

/** Column `rejected_before` of a claimed record `c`. A first claim needs no look at the results. */
export const REJECTED_BEFORE = `c.claims > 1 and exists (select 1 from delivery_result d where ${lookedUp('d.record_id', 'c.id')} and d.verdict = 'rejected') as rejected_before`;

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
    rejectedBefore: row.rejected_before,
    attempts: row.attempts,
    wholeFailures: row.whole_failures,
  };
}

import type { CallVerdict, SentRecord } from '../amlyze/verdict';
import type { ClaimedRecord } from '../outbox/claimed-record';
import type { RecordChannel, RecordKind } from '../outbox/record-state';
import type { Answer, CallFailure } from '../shared/http-client';

/** How the records of one channel reach AMLYZE. Everything else about delivery is the same for all of them. */
export interface Lane {
  readonly kind: RecordKind;
  readonly channel: RecordChannel;
  /** Name of the row in amlyze_endpoint that holds the pauses of this lane. */
  readonly endpoint: string;
  /** Most records of one call. */
  readonly batchSize: number;
  /**
   * The channel has no batch, and its records have no order among themselves: they are claimed ahead of their calls. Whatever
   * belongs to a series has to go by batches, if need be of one, because only their claims look for what is older.
   */
  readonly oneByOne: boolean;
  /** Calls under way in this replica at most. */
  readonly concurrency: number;
  configurationHash(): string;
  sendBatch(records: readonly ClaimedRecord[]): Promise<Answer | CallFailure>;
  sendSingle(record: ClaimedRecord): Promise<Answer | CallFailure>;
  judgeBatch(result: Answer | CallFailure, records: readonly SentRecord[], now: Date): CallVerdict;
  judgeSingle(result: Answer | CallFailure, record: SentRecord, now: Date): CallVerdict;
}

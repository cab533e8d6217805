import type { RecordKind } from '../outbox/record-state';
import type { Answer, CallFailure } from '../shared/http-client';
import type { CallVerdict, SentRecord } from '../amlyze/verdict';

/** How one kind of record reaches AMLYZE. Everything else about delivery is the same for all kinds. */
export interface Lane {
  readonly kind: RecordKind;
  /** Name of the row in amlyze_endpoint that holds the pauses of this lane. */
  readonly endpoint: string;
  readonly batchSize: number;
  readonly concurrency: number;
  configurationHash(): string;
  sendBatch(payloads: readonly string[]): Promise<Answer | CallFailure>;
  sendSingle(payload: string): Promise<Answer | CallFailure>;
  judgeBatch(result: Answer | CallFailure, records: readonly SentRecord[], now: Date): CallVerdict;
  judgeSingle(result: Answer | CallFailure, record: SentRecord, now: Date): CallVerdict;
}

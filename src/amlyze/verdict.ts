import type { Answer, CallFailure } from '../shared/http-client';
import type { CallVerdict, SentRecord } from './record-verdict';

export type { CallVerdict, RecordVerdict, SentRecord } from './record-verdict';

/** Reads the answer to a batch. Pure; `now` only turns a Retry-After date into milliseconds. */
export function judgeBatch(result: Answer | CallFailure, records: readonly SentRecord[], now: Date): CallVerdict {
  throw new Error(`not written yet: ${result.kind}, ${records.length} records, ${now.toISOString()}`);
}

/** Reads the answer of the single endpoint for one record. Pure; `now` as above. */
export function judgeSingle(result: Answer | CallFailure, record: SentRecord, now: Date): CallVerdict {
  return judgeBatch(result, [record], now);
}

import type { Answer, CallFailure } from '../shared/http-client';
import { namesOther, type AnswerRules } from './answer-rules';
import { judgeBatchCall, judgeSingleCall } from './judge-call';
import type { CallVerdict, SentRecord } from './record-verdict';

export type { CallVerdict, RecordVerdict, SentRecord } from './record-verdict';

/** Balances are found by communicationNumber together with accountExtId; an absent account is no mismatch. */
const BALANCES: AnswerRules = {
  subject: 'balance',
  key: 'communicationNumber',
  addressees: (_entry, candidates) => candidates,
  mismatch: (said, record) =>
    namesOther(said, 'communicationNumber', record.communicationNumber) ||
    namesOther(said, 'accountExtId', record.accountExtId)
      ? 'OTHER_ACCOUNT'
      : undefined,
};

/**
 * What the answer to a batch of balances means, for the call and for each record. Pure; `now` only turns a Retry-After
 * date into milliseconds.
 */
export function judgeBatch(result: Answer | CallFailure, records: readonly SentRecord[], now: Date): CallVerdict {
  return judgeBatchCall(BALANCES, { result, records, now });
}

/** What the single endpoint's answer means for its one balance. Pure; `now` as above. */
export function judgeSingle(result: Answer | CallFailure, record: SentRecord, now: Date): CallVerdict {
  return judgeSingleCall(BALANCES, { result, record, now });
}

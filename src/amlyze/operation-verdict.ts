import type { Answer, CallFailure } from '../shared/http-client';
import type { JsonObject } from '../shared/json';
import { namesOther, type AnswerRules } from './answer-rules';
import { judgeBatchCall, judgeSingleCall } from './judge-call';
import type { CallVerdict, RecordVerdict, SentRecord } from './record-verdict';

type Result = Answer | CallFailure;

/** A sent record that is an operation. */
export interface SentOperation extends SentRecord {
  operationExtId: string;
}

/**
 * The results of a batch of operations name operationExtId and businessUnit, and no communicationNumber. Should one
 * stand there all the same, it has to be ours.
 */
const OPERATIONS: AnswerRules = {
  subject: 'operation',
  key: 'operationExtId',
  addressees,
  mismatch: (said, record) =>
    namesOther(said, 'operationExtId', record.operationExtId) ||
    namesOther(said, 'businessUnit', record.businessUnit) ||
    namesOther(said, 'communicationNumber', record.communicationNumber)
      ? 'OTHER_OPERATION'
      : undefined,
};

/**
 * Of several operations that share an operationExtId the entry means the one of its business unit or number. Where it
 * names neither, or where we sent no unit, nothing tells them apart and every one of them stays in doubt.
 */
function addressees(entry: JsonObject, candidates: readonly SentRecord[]): readonly SentRecord[] {
  const unit = entry['businessUnit'];
  const named = unit !== undefined && unit !== null;
  const exact = named ? candidates.filter(({ businessUnit }) => businessUnit === unit) : [];
  const possible =
    exact.length > 0 ? exact : candidates.filter(({ businessUnit }) => !named || businessUnit === undefined);
  const numbered = possible.filter(({ communicationNumber }) => communicationNumber === entry['communicationNumber']);
  return numbered.length > 0 ? numbered : possible;
}

/** What the operation endpoint's answer means for its one operation. Pure; `now` only turns a Retry-After date into ms. */
export function judgeOperation(result: Result, record: SentRecord, now: Date): CallVerdict {
  return judgeSingleCall(OPERATIONS, { result, record, now });
}

/** What the answer to a batch of operations means, for the call and for each operation. Pure; `now` as above. */
export function judgeOperationBatch(result: Result, records: readonly SentRecord[], now: Date): CallVerdict {
  return judgeBatchCall(OPERATIONS, { result, records, now });
}

/**
 * What the answer to a batch of one operation means. There is no half of it, so a 400 for the batch is one for the
 * operation, in the words of the single endpoint; it stays a bad request where it gives no reason. Pure; `now` as above.
 */
export function judgeOperationAlone(result: Result, record: SentRecord, now: Date): CallVerdict {
  const verdict = judgeOperationBatch(result, [record], now);
  if (verdict.kind !== 'bad-request') return verdict;
  const own = judgeOperation(result, record, now);
  return own.kind === 'settled' ? own : verdict;
}

/** What AMLYZE's dry run says of a batch. */
export type PreflightVerdict =
  /** The operations that it would refuse, in AMLYZE's words; all others may be sent. */
  | { kind: 'checked'; refused: Pick<RecordVerdict, 'id' | 'errorCode' | 'errorDescription'>[] }
  /** No list of results: nothing is known, and nothing was stored either. */
  | { kind: 'unchecked'; detail: string };

/**
 * What the answer of validate-batch-operations means. It stores nothing, so it never brings doubt, and only a plain
 * refusal counts: whatever else it says, the real send finds out.
 */
export function judgePreflight(result: Result, records: readonly SentRecord[], now: Date): PreflightVerdict {
  const verdict = judgeOperationBatch(result, records, now);
  if (verdict.kind !== 'settled') {
    const detail = verdict.kind === 'rate-limited' ? 'too many requests' : verdict.detail;
    return { kind: 'unchecked', detail };
  }
  const refused = verdict.records.filter((record) => record.verdict === 'rejected');
  return {
    kind: 'checked',
    refused: refused.map(({ id, errorCode, errorDescription }) => ({
      id,
      ...(errorCode === undefined ? {} : { errorCode }),
      ...(errorDescription === undefined ? {} : { errorDescription }),
    })),
  };
}

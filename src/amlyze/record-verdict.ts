/** One record of a call, as far as a verdict about it needs to know it. */
export interface SentRecord {
  /** Row id of the record. */
  id: string;
  communicationNumber: string;
  /** What AMLYZE calls the account; undefined where the record names none (then the answer's is not compared). */
  accountExtId: string | undefined;
  /** Of an operation: what AMLYZE calls it, the name under which the results of a batch tell of it. */
  operationExtId?: string | undefined;
  /** Of an operation: the business unit that it was sent for, the other half of its name. */
  businessUnit?: string | undefined;
  /** A send before this one may have arrived, and no definite answer for it came. */
  inDoubtBefore: boolean;
  /** A definite rejection of this very number is in the log: whether that used the number up, no vendor page says. */
  rejectedBefore: boolean;
  /** The log proves that AMLYZE had this number, or this operation, before any send of ours could have arrived. */
  collidedBefore: boolean;
}

/** What an answer means for one record. */
export interface RecordVerdict {
  id: string;
  /** `in-doubt` is sent again with the same number and the same bytes. */
  verdict: 'accepted' | 'rejected' | 'held' | 'in-doubt';
  /** Ours, a short stable word; always there for rejected, held and in-doubt. */
  reason?: string;
  /** AMLYZE's words, verbatim, control characters too, up to a length. */
  errorCode?: string;
  errorDescription?: string;
  /** Whether AMLYZE may have this record although we cannot say that it accepted it. */
  inDoubt: boolean;
  /** The JSON that AMLYZE said about this record, numbers digit for digit, cut at a length. */
  answer?: string;
}

/** What an answer, or its absence, means for the whole call. */
export type CallVerdict =
  /**
   * A list of results (or the single endpoint's own verdict) was there. `records` has every sent record once, in the
   * order sent.
   */
  | {
      kind: 'settled';
      records: RecordVerdict[];
      /** communicationNumbers or operationExtIds nobody asked for, fit for a log line; they touch nothing. */
      strangers: string[];
      /** Sentences for an operator about answers that contradict themselves. */
      alarms: string[];
    }
  /** Time-out, 5xx, HTML, connection refused ...: pauses the endpoint, costs no record an attempt. */
  | { kind: 'endpoint-failed'; doubt: boolean; detail: string }
  /** 429. `retryAfterMs` is what AMLYZE asked for, not yet capped; undefined where it asked for nothing usable. */
  | { kind: 'rate-limited'; retryAfterMs: number | undefined; detail: string }
  /**
   * 401, 403, 404 of the path, or one tenant / business-unit reason for all: a setting of ours is wrong, the records
   * are not. `rejections` has every sent record's own where AMLYZE rejected them one by one: of their numbers it is a
   * definite no, although the records are not to blame. `frozen`: what is wrong stands in the records themselves, a business unit, so
   * those that were made under another setting are.
   */
  | { kind: 'configuration'; detail: string; rejections?: RecordVerdict[]; frozen?: true }
  /** 400 for a whole batch: to be cut in two. */
  | { kind: 'bad-request'; detail: string }
  /** A frozen request does not open, so no call was made. It says nothing about AMLYZE, and costs only that record an attempt. */
  | { kind: 'unopened'; detail: string }
  /** The batch is too large: 413, or above our own limit for a request. */
  | { kind: 'too-large'; detail: string };

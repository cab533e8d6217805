import type { FailureCause } from '../shared/http-client';
import type { Saying, Shape, Source, Subject } from './saying';

/**
 * What a row decides about one record. `inDoubt`: AMLYZE may have the record although we cannot say that it accepted
 * it.
 */
export interface RecordDecision {
  about: 'record';
  verdict: 'accepted' | 'rejected' | 'held' | 'in-doubt';
  reason?: string;
  inDoubt: boolean;
}

/** What a row decides about the whole call. `results` means: read them, one by one. */
export interface CallDecision {
  about: 'call';
  kind: 'results' | 'endpoint-failed' | 'rate-limited' | 'configuration' | 'bad-request' | 'unopened' | 'too-large';
  /** For endpoint-failed: whether the records may have arrived. */
  doubt?: boolean;
}

export type Decision = RecordDecision | CallDecision;

/** One row: the conditions that are named must all hold, and the first row that fits decides. */
export interface VerdictRow extends Columns {
  name: string;
  /** Only at the endpoints of this subject. */
  subject?: Subject;
  from: readonly Source[];
  status?: readonly number[];
  cause?: readonly FailureCause[];
  bytesMayHaveLeft?: boolean;
  shape?: readonly Shape[];
  /** `resultType`; '' stands for none. */
  word?: readonly string[];
  code?: RegExp;
  text?: RegExp;
  /**
   * The reason names a setting of ours rather than the record: `call` = sent with every call, `record` = some records
   * could share it.
   */
  blames?: 'call' | 'record';
  /** Columns for a number that AMLYZE rejected definitely before; where absent, the columns above hold. */
  afterRejection?: Columns;
  /** Columns for a number that AMLYZE proved to have from others; where they stand, they go before those above. */
  afterCollision?: Columns;
}

interface Columns {
  withoutDoubt: Decision;
  withDoubt: Decision;
}

const ACCEPTED: Decision = { about: 'record', verdict: 'accepted', inDoubt: false };
const REPLAYED: Decision = { about: 'record', verdict: 'accepted', reason: 'replayed', inDoubt: false };
const COLLISION: Decision = { about: 'record', verdict: 'held', reason: 'COLLISION', inDoubt: false };
const COLLISION_IN_DOUBT: Decision = { about: 'record', verdict: 'held', reason: 'COLLISION', inDoubt: true };
const NUMBER_CONSUMED: Decision = { about: 'record', verdict: 'held', reason: 'NUMBER_CONSUMED', inDoubt: false };
const REJECTED: Decision = { about: 'record', verdict: 'rejected', reason: 'BUSINESS_REJECTION', inDoubt: false };
const REJECTED_AFTER_DOUBT: Decision = {
  about: 'record',
  verdict: 'rejected',
  reason: 'REJECTED_AFTER_DOUBT',
  inDoubt: true,
};
const UNSURE = (reason: string): Decision => ({ about: 'record', verdict: 'in-doubt', reason, inDoubt: true });
const CALL = (kind: CallDecision['kind']): Decision => ({ about: 'call', kind });
const FAILED: Decision = { about: 'call', kind: 'endpoint-failed', doubt: true };
const FAILED_UNSENT: Decision = { about: 'call', kind: 'endpoint-failed', doubt: false };

const same = (decision: Decision): Columns => ({
  withoutDoubt: decision,
  withDoubt: decision,
});
/** Whatever was sent since: the number, or the operation, was taken before, and not by us. */
const collision: Columns = { withoutDoubt: COLLISION, withDoubt: COLLISION_IN_DOUBT };
const rejection = { withoutDoubt: REJECTED, withDoubt: REJECTED_AFTER_DOUBT };

/** Where a record's own rejection is documented: 200 with results, 400 on the single endpoint. */
const verdictOnRecord = { from: ['item', 'single'], status: [200, 400] } as const;
const NONE = /^$/;
const SOME = /\S/;
const PROCESSING_FAILED = /failed\s+processing|processing\s+failed/i;
const TENANT_HEADER = /tenant\s+header/i;
const BUSINESS_UNIT = /\btenant\b|business\s*unit/i;
/**
 * The account endpoint of the same service says OK and ERROR where the others say REQUEST_ACCEPTED and
 * REQUEST_REJECTED.
 */
const REJECTING = ['REQUEST_REJECTED', 'ERROR'];

/**
 * Every verdict there is. Codes alone decide nothing, because AMLYZE uses O001 and O005 for several things: endpoint,
 * status, code and text do. "Without doubt" / "with doubt" is whether an earlier send of the same record may have
 * arrived.
 */
export const VERDICT_TABLE: readonly VerdictRow[] = [
  // The whole call, by its status.
  { name: 'token or address refused', from: ['batch', 'single'], status: [401, 403], ...same(CALL('configuration')) },
  {
    name: 'no such path',
    from: ['batch', 'single'],
    status: [404],
    shape: ['path-not-found'],
    ...same(CALL('configuration')),
  },
  { name: 'too many requests', from: ['batch', 'single'], status: [429], ...same(CALL('rate-limited')) },
  { name: 'batch too large', from: ['batch'], status: [413], ...same(CALL('too-large')) },
  // Half of one record does not exist, and the status says that it was not read.
  { name: 'single record too large', from: ['single'], status: [413], ...same(FAILED_UNSENT) },
  { name: 'results of a batch', from: ['batch'], status: [200], shape: ['results'], ...same(CALL('results')) },
  // Not documented, but a list of verdicts is better evidence than the status above it; an acceptance in it is
  // doubted below.
  { name: 'results under a 400', from: ['batch'], status: [400], shape: ['results'], ...same(CALL('results')) },
  // Sent with every call, so no half of the batch would fare better.
  {
    name: 'batch refused for the tenant header',
    from: ['batch'],
    status: [400],
    text: TENANT_HEADER,
    ...same(CALL('configuration')),
  },
  { name: 'batch refused as a whole', from: ['batch'], status: [400], ...same(CALL('bad-request')) },

  // One record: an item of the results, or the single endpoint's whole answer.
  { name: 'item accepted', from: ['item'], status: [200], word: ['REQUEST_ACCEPTED'], code: NONE, ...same(ACCEPTED) },
  {
    name: 'single record accepted',
    from: ['single'],
    status: [200],
    word: ['REQUEST_ACCEPTED', 'OK'],
    code: NONE,
    ...same(ACCEPTED),
  },
  // Under 200 the single endpoint documents an acceptance only: body and status contradict each other.
  {
    name: 'single record rejected under a 200',
    from: ['single'],
    status: [200],
    word: REJECTING,
    ...same(UNSURE('CONTRADICTORY_ANSWER')),
  },
  {
    name: 'single record with a code under a 200',
    from: ['single'],
    status: [200],
    code: SOME,
    ...same(UNSURE('CONTRADICTORY_ANSWER')),
  },
  {
    name: 'number already used',
    ...verdictOnRecord,
    word: [...REJECTING, ''],
    code: /^O00[15]$/,
    text: /already\s+used/i,
    withoutDoubt: COLLISION,
    withDoubt: REPLAYED,
    // With both a doubtful send and a rejection of this number behind us, either may have used it up. Calling it
    // accepted would be a guess, and so would calling a new number safe: it is held, stays in doubt, and a person
    // looks into AMLYZE.
    afterRejection: { withoutDoubt: NUMBER_CONSUMED, withDoubt: COLLISION_IN_DOUBT },
    afterCollision: collision,
  },
  // The operation endpoints also refuse a second operation of one operationExtId. After a rejection no new number would
  // help: the name is taken, whoever took it.
  {
    name: 'operation already exists',
    subject: 'operation',
    ...verdictOnRecord,
    word: [...REJECTING, ''],
    code: /^O00[15]$/,
    text: /already\s+exists/i,
    withoutDoubt: COLLISION,
    withDoubt: REPLAYED,
    afterRejection: collision,
    afterCollision: collision,
  },
  { name: 'processing failed, by code', ...verdictOnRecord, code: /^5\d\d$/, ...same(UNSURE('PROCESSING_FAILED')) },
  {
    name: 'processing failed, by text',
    ...verdictOnRecord,
    text: PROCESSING_FAILED,
    ...same(UNSURE('PROCESSING_FAILED')),
  },
  {
    name: 'tenant header missing',
    ...verdictOnRecord,
    word: REJECTING,
    text: TENANT_HEADER,
    blames: 'call',
    ...rejection,
  },
  {
    name: 'tenant or business unit unknown',
    ...verdictOnRecord,
    word: REJECTING,
    text: BUSINESS_UNIT,
    blames: 'record',
    ...rejection,
  },
  { name: 'rejected with a code', ...verdictOnRecord, word: [...REJECTING, ''], code: SOME, ...rejection },
  // The vendor's error list has entries with a blank code.
  { name: 'rejected with a text', ...verdictOnRecord, word: REJECTING, text: SOME, ...rejection },
  // No reason, another word, or an acceptance with an error code beside it or under a 400.
  { name: 'item that says anything else', from: ['item'], ...same(UNSURE('UNCLEAR_RESULT')) },

  // No complete answer, and everything that no row above names.
  {
    name: 'request larger than our own limit',
    from: ['batch'],
    cause: ['request-too-large'],
    ...same(CALL('too-large')),
  },
  {
    name: 'request that cannot be made',
    from: ['batch', 'single'],
    cause: ['invalid-request'],
    ...same(CALL('configuration')),
  },
  // It is those records' own, damaged or under a key that is gone: cutting finds them, and the others go on.
  {
    name: 'frozen request that does not open',
    from: ['batch', 'single'],
    cause: ['sealed-request'],
    ...same(CALL('unopened')),
  },
  { name: 'no byte left', from: ['batch', 'single'], bytesMayHaveLeft: false, ...same(FAILED_UNSENT) },
  { name: 'anything else', from: ['batch', 'single'], ...same(FAILED) },
];

/** The first row that fits. Never fails: the last row fits everything. */
export function findRow(saying: Saying): VerdictRow {
  const row = VERDICT_TABLE.find((candidate) => fits(candidate, saying));
  if (row === undefined) throw new Error('the last row of the verdict table must fit everything');
  return row;
}

/** The row's decision in the column that the record's past selects. */
export function decide(
  row: VerdictRow,
  past: { inDoubtBefore: boolean; rejectedBefore: boolean; collidedBefore: boolean },
): Decision {
  const columns =
    (past.collidedBefore ? row.afterCollision : undefined) ??
    (past.rejectedBefore ? row.afterRejection : undefined) ??
    row;
  return past.inDoubtBefore ? columns.withDoubt : columns.withoutDoubt;
}

function fits(row: VerdictRow, saying: Saying): boolean {
  return (
    (row.subject === undefined || row.subject === saying.subject) &&
    row.from.includes(saying.source) &&
    (row.status === undefined || (saying.status !== undefined && row.status.includes(saying.status))) &&
    (row.cause === undefined || (saying.cause !== undefined && row.cause.includes(saying.cause))) &&
    (row.bytesMayHaveLeft === undefined || row.bytesMayHaveLeft === saying.bytesMayHaveLeft) &&
    (row.shape === undefined || row.shape.includes(saying.shape)) &&
    (row.word === undefined || row.word.includes(saying.word)) &&
    (row.code === undefined || row.code.test(saying.code)) &&
    (row.text === undefined || row.text.test(saying.text))
  );
}

import { createHash } from 'node:crypto';
import type { CardVault } from '../operations/card-vault';
import { maskedRequest } from '../operations/frozen-request';
import type { AttemptOutcome, Verdict } from '../outbox/attempt';
import { ACCOUNT_CHANGED } from '../shared/amlyze-account';
import type { Queryable } from '../shared/database';
import { SecretProblem } from '../shared/secret-box';
import { stepOf, type ShownStep, type StoredStep } from '../balances/step';
import { showSteps } from '../sync/wordings';
import { RECORD_COLUMNS, RECORDS, toRecordView, type RecordRow, type RecordView } from './record-views';

const recordStep = stepOf('record');

/** Everything behind one record, from the bank's words to AMLYZE's. */
export interface Explanation extends RecordView {
  supersededBy: string | null;
  reading: ExplainedReading | null;
  /** Every step from the bank's payload to the record, as the mapping wrote it down at the read, and what an operator added. */
  steps: ShownStep[];
  /** The frozen bytes; every attempt sends exactly this text. With card data: masked, and null once that was shredded. */
  frozenRequest: string | null;
  /** Absent with card data: a plain hash of it could be guessed. */
  frozenRequestSha256: string | null;
  /** Why frozenRequest is not the text that is sent. */
  frozenRequestNote: string | null;
  attemptLog: ExplainedAttempt[];
}

export interface ExplainedReading {
  id: string;
  outcome: string;
  fetchedAt: string;
  requestId: string | null;
  httpStatus: number | null;
  latencyMs: number | null;
  balanceAtSource: string | null;
  /** What the bank answered, as text. */
  bankPayload: string | null;
}

export interface ExplainedAttempt {
  attemptId: string;
  endpoint: string;
  replica: string;
  records: number;
  startedAt: string;
  finishedAt: string | null;
  httpStatus: number | null;
  outcome: AttemptOutcome | null;
  detail: string | null;
  latencyMs: number | null;
  /** null while the call is under way. */
  verdict: Verdict | null;
  reason: string | null;
  errorCode: string | null;
  errorDescription: string | null;
  answer: string | null;
  late: boolean;
}

interface ExplanationRow extends RecordRow {
  payload: string | null;
  sealed: boolean;
  shredded_at: Date | null;
  attempt_id: string | null;
  superseded_by: string | null;
  /** It is for another account at AMLYZE than the one that it supersedes. */
  moved: boolean | null;
  reading_id: string | null;
  reading_outcome: string;
  fetched_at: Date;
  request_id: string | null;
  http_status: number | null;
  latency_ms: number | null;
  balance_at_source: string | null;
  raw_body: string | null;
  steps: StoredStep[] | null;
}

const EXPLAIN = `
select ${RECORD_COLUMNS}, r.payload, r.sealed, r.shredded_at, s.attempt_id,
  (select n.communication_number from amlyze_record n where n.supersedes = r.communication_number limit 1) as superseded_by,
  (select (p.account_ext_id, p.business_unit) is distinct from (r.account_ext_id, r.business_unit) from amlyze_record p
   where p.communication_number = r.supersedes) as moved,
  b.id as reading_id, b.outcome as reading_outcome, b.fetched_at, b.request_id, b.http_status, b.latency_ms, b.balance_at_source,
  b.raw_body, b.steps
from ${RECORDS} left join balance_reading b on b.id = r.reading_id
where r.communication_number = $1`;

interface AttemptRow {
  id: string;
  endpoint: string;
  replica: string;
  records: number;
  started_at: Date;
  finished_at: Date | null;
  http_status: number | null;
  outcome: AttemptOutcome | null;
  detail: string | null;
  latency_ms: number | null;
  verdict: Verdict | null;
  reason: string | null;
  error_code: string | null;
  error_description: string | null;
  answer: string | null;
  late: boolean | null;
}

/** A union, because `in (…) or a.id = $2` would read the whole log. */
export const ATTEMPTS_OF_RECORD = `
select a.id, a.endpoint, a.replica, a.records, a.started_at, a.finished_at, a.http_status, a.outcome, a.detail, a.latency_ms,
  d.verdict, d.reason, d.error_code, d.error_description, d.answer, d.late
from delivery_attempt a left join delivery_result d on d.attempt_id = a.id and d.record_id = $1
where a.id in (select attempt_id from delivery_result where record_id = $1 union select $2::bigint)
order by a.id, d.late`;

/** Undefined when there is no record of this number. */
export async function explain(
  db: Queryable,
  vault: CardVault,
  communicationNumber: string,
): Promise<Explanation | undefined> {
  const [row] = await db.query<ExplanationRow>(EXPLAIN, [communicationNumber]);
  if (!row) return undefined;
  const attempts = await db.query<AttemptRow>(ATTEMPTS_OF_RECORD, [row.id, row.attempt_id]);
  return {
    ...toRecordView(row),
    supersededBy: row.superseded_by,
    reading: row.reading_id === null ? null : toReading(row, row.reading_id),
    steps: [...(await showSteps(db, row.steps ?? [])), ...requeued(row), ...renamed(row)],
    ...showRequest(row, vault),
    attemptLog: attempts.map(toAttempt),
  };
}

/** Under a new number a record shares the reading of its predecessor, whose steps know of no second revision. */
function requeued({
  supersedes,
  supersedes_reason: why,
  revision,
  moved,
  account_ext_id: account,
}: ExplanationRow): ShownStep[] {
  if (supersedes === null || why !== 'new-number') return [];
  const forWhom = moved === true ? `, for ${account ?? ''} as AMLYZE has the account now` : '';
  const { rule, text } =
    recordStep`revision ${revision} says the same as ${supersedes} under a number of its own${forWhom}: an operator requeued that record, for the reason in audit_entry (target record:${supersedes})`;
  return [{ rule, text }];
}

/** A record that no call is to blame for: its account got another name at AMLYZE before AMLYZE had it. */
function renamed({ state, reason, account_id: id, account_ext_id: account }: ExplanationRow): ShownStep[] {
  if (state !== 'held' || reason !== ACCOUNT_CHANGED) return [];
  const { rule, text } =
    recordStep`held, for AMLYZE has not got it: it is for ${account ?? ''}, and an operator gave the account another accountExtId or businessUnit meanwhile, for the reason in audit_entry (target account:${id ?? ''})`;
  return [{ rule, text }];
}

type ShownRequest = Pick<Explanation, 'frozenRequest' | 'frozenRequestSha256' | 'frozenRequestNote'>;

function showRequest(row: ExplanationRow, vault: CardVault): ShownRequest {
  const { payload, sealed, shredded_at: shreddedAt, communication_number: communicationNumber } = row;
  if (payload === null) {
    const note = `Its card data was shredded at ${shreddedAt?.toISOString() ?? 'an unknown time'}, and the request with it.`;
    return { frozenRequest: null, frozenRequestSha256: null, frozenRequestNote: note };
  }
  if (!sealed) {
    const sha256 = createHash('sha256').update(payload).digest('hex');
    return { frozenRequest: payload, frozenRequestSha256: sha256, frozenRequestNote: null };
  }
  try {
    const frozenRequest = maskedRequest(vault.openPayload({ payload, sealed, communicationNumber }));
    return {
      frozenRequest,
      frozenRequestSha256: null,
      frozenRequestNote: 'Card data is masked here and whole in what is sent.',
    };
  } catch (error) {
    if (!(error instanceof SecretProblem)) throw error;
    return { frozenRequest: null, frozenRequestSha256: null, frozenRequestNote: `Cannot be opened: ${error.message}.` };
  }
}

function toReading(row: ExplanationRow, id: string): ExplainedReading {
  return {
    id,
    outcome: row.reading_outcome,
    fetchedAt: row.fetched_at.toISOString(),
    requestId: row.request_id,
    httpStatus: row.http_status,
    latencyMs: row.latency_ms,
    balanceAtSource: row.balance_at_source,
    bankPayload: row.raw_body,
  };
}

function toAttempt(row: AttemptRow): ExplainedAttempt {
  return {
    attemptId: row.id,
    endpoint: row.endpoint,
    replica: row.replica,
    records: row.records,
    startedAt: row.started_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
    httpStatus: row.http_status,
    outcome: row.outcome,
    detail: row.detail,
    latencyMs: row.latency_ms,
    verdict: row.verdict,
    reason: row.reason,
    errorCode: row.error_code,
    errorDescription: row.error_description,
    answer: row.answer,
    late: row.late ?? false,
  };
}

import { createHash } from 'node:crypto';
import type { Step } from '../balances/balance';
import type { Queryable } from '../shared/database';
import { RECORD_COLUMNS, toRecordView, type RecordRow, type RecordView } from './record-views';

/** Everything behind one record, from the bank's words to AMLYZE's. */
export interface Explanation extends RecordView {
  supersededBy: string | null;
  reading: ExplainedReading | null;
  /** Every step from the bank's payload to the record, as the mapping itself wrote it down at the read. */
  steps: Step[];
  /** The frozen bytes; every attempt sends exactly this text. */
  frozenRequest: string;
  frozenRequestSha256: string;
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
  outcome: string | null;
  detail: string | null;
  latencyMs: number | null;
  /** null while the call is under way. */
  verdict: string | null;
  reason: string | null;
  errorCode: string | null;
  errorDescription: string | null;
  answer: string | null;
  late: boolean;
}

interface ExplanationRow extends RecordRow {
  payload: string;
  attempt_id: string | null;
  superseded_by: string | null;
  reading_id: string | null;
  reading_outcome: string;
  fetched_at: Date;
  request_id: string | null;
  http_status: number | null;
  latency_ms: number | null;
  balance_at_source: string | null;
  raw_body: string | null;
  steps: Step[] | null;
}

const EXPLAIN = `
select ${RECORD_COLUMNS}, r.payload, r.attempt_id,
  (select n.communication_number from amlyze_record n
   where n.account_id = r.account_id and n.balance_type = r.balance_type and n.supersedes = r.communication_number limit 1) as superseded_by,
  b.id as reading_id, b.outcome as reading_outcome, b.fetched_at, b.request_id, b.http_status, b.latency_ms, b.balance_at_source,
  b.raw_body, b.steps
from amlyze_record r left join balance_reading b on b.id = r.reading_id
where r.communication_number = $1`;

interface AttemptRow {
  id: string;
  endpoint: string;
  replica: string;
  records: number;
  started_at: Date;
  finished_at: Date | null;
  http_status: number | null;
  outcome: string | null;
  detail: string | null;
  latency_ms: number | null;
  verdict: string | null;
  reason: string | null;
  error_code: string | null;
  error_description: string | null;
  answer: string | null;
  late: boolean | null;
}

const ATTEMPTS = `
select a.id, a.endpoint, a.replica, a.records, a.started_at, a.finished_at, a.http_status, a.outcome, a.detail, a.latency_ms,
  d.verdict, d.reason, d.error_code, d.error_description, d.answer, d.late
from delivery_attempt a left join delivery_result d on d.attempt_id = a.id and d.record_id = $1
where a.id in (select attempt_id from delivery_result where record_id = $1) or a.id = $2
order by a.id, d.late`;

/** Undefined when there is no record of this number. */
export async function explain(db: Queryable, communicationNumber: string): Promise<Explanation | undefined> {
  const [row] = await db.query<ExplanationRow>(EXPLAIN, [communicationNumber]);
  if (!row) return undefined;
  const attempts = await db.query<AttemptRow>(ATTEMPTS, [row.id, row.attempt_id]);
  return {
    ...toRecordView(row),
    supersededBy: row.superseded_by,
    reading: row.reading_id === null ? null : toReading(row, row.reading_id),
    steps: row.steps ?? [],
    frozenRequest: row.payload,
    frozenRequestSha256: createHash('sha256').update(row.payload).digest('hex'),
    attemptLog: attempts.map(toAttempt),
  };
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

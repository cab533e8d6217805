import type { RecordKind, RecordState } from '../outbox/record-state';
import { inState } from '../outbox/in-state';
import type { Queryable } from '../shared/database';

export interface RecordFilter {
  state?: RecordState;
  accountId?: string;
  runId?: string;
  errorCode?: string;
  operationExtId?: string;
}

export interface RecordView {
  communicationNumber: string;
  kind: RecordKind;
  accountId: string | null;
  accountExtId: string | null;
  operationExtId: string | null;
  runId: string | null;
  state: RecordState;
  reason: string | null;
  errorCode: string | null;
  errorDescription: string | null;
  inDoubt: boolean;
  attempts: number;
  balanceType: string | null;
  balanceAt: string | null;
  value: string | null;
  revision: number;
  supersedes: string | null;
  supersedesReason: string | null;
  createdAt: string;
  nextAttemptAt: string | null;
  settledAt: string | null;
}

export interface RecordRow {
  id: string;
  communication_number: string;
  kind: RecordKind;
  account_id: string | null;
  account_ext_id: string | null;
  operation_ext_id: string | null;
  run_id: string | null;
  state: RecordState;
  reason: string | null;
  error_code: string | null;
  error_description: string | null;
  in_doubt: boolean;
  sends: number;
  balance_type: string | null;
  balance_at: Date | null;
  value: string | null;
  revision: number;
  supersedes: string | null;
  supersedes_reason: string | null;
  created_at: Date;
  next_attempt_at: Date | null;
  settled_at: Date | null;
}

/** `attempts` is what a reader counts in the log: every call that carried the record, also those it was not charged for. */
export const RECORD_COLUMNS = `r.id, r.communication_number, r.kind, r.account_id, r.account_ext_id, r.operation_ext_id, r.run_id, r.state, r.reason, r.error_code,
  r.error_description, r.in_doubt, r.balance_type, r.balance_at, r.value, r.revision, r.supersedes, r.supersedes_reason, r.created_at,
  r.next_attempt_at, r.settled_at,
  ((select count(*) from delivery_result d where d.record_id = r.id and not d.late) + case when r.attempt_id is null then 0 else 1 end)::int as sends`;

const FILTER_COLUMNS = {
  state: 'r.state',
  accountId: 'r.account_id',
  runId: 'r.run_id',
  errorCode: 'r.error_code',
  operationExtId: 'r.operation_ext_id',
} as const;

/** SQL conditions of a filter; values are appended to `values`. */
export function filterConditions(filter: RecordFilter, values: unknown[]): string[] {
  return (Object.keys(FILTER_COLUMNS) as (keyof typeof FILTER_COLUMNS)[]).flatMap((name) => {
    const value = filter[name];
    if (value === undefined) return [];
    values.push(value);
    return [`${FILTER_COLUMNS[name]} = $${values.length}`];
  });
}

/** Records after `afterId`, oldest first, one more than `limit` where there are more. */
export async function findRecords(
  db: Queryable,
  filter: RecordFilter,
  afterId: string | undefined,
  limit: number,
): Promise<(RecordView & { id: string })[]> {
  const values: unknown[] = [afterId ?? '0', limit + 1];
  const conditions = filterConditions(filter, values);
  // Beside another filter that one's index is the better.
  const [where, order] =
    conditions.length === 1 && filter.state !== undefined && filter.state !== 'accepted'
      ? [inState('$3', '$1::bigint', 'r'), 'r.state, r.id']
      : [['r.id > $1', ...conditions].join(' and '), 'r.id'];
  const rows = await db.query<RecordRow>(
    `select ${RECORD_COLUMNS} from amlyze_record r where ${where} order by ${order} limit $2`,
    values,
  );
  return rows.map((row) => ({ id: row.id, ...toRecordView(row) }));
}

export function toRecordView(row: RecordRow): RecordView {
  return {
    communicationNumber: row.communication_number,
    kind: row.kind,
    accountId: row.account_id,
    accountExtId: row.account_ext_id,
    operationExtId: row.operation_ext_id,
    runId: row.run_id,
    state: row.state,
    reason: row.reason,
    errorCode: row.error_code,
    errorDescription: row.error_description,
    inDoubt: row.in_doubt,
    attempts: row.sends,
    balanceType: row.balance_type,
    balanceAt: row.balance_at?.toISOString() ?? null,
    value: row.value,
    revision: row.revision,
    supersedes: row.supersedes,
    supersedesReason: row.supersedes_reason,
    createdAt: row.created_at.toISOString(),
    nextAttemptAt: row.next_attempt_at?.toISOString() ?? null,
    settledAt: row.settled_at?.toISOString() ?? null,
  };
}

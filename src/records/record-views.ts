import type { RecordKind, RecordState } from '../outbox/record-state';
import { standingBehind, standingOf } from '../outbox/standing';
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
  claims: number;
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

/** What RECORD_COLUMNS and filterConditions are about: a record and how far it got. */
export const RECORDS = 'amlyze_record r join record_state s on s.record_id = r.id';

/** `claims` is what a reader counts in the log: every call that carried the record, also those it was not charged for. */
export const RECORD_COLUMNS = `r.id, r.communication_number, r.kind, r.account_id, r.account_ext_id, r.operation_ext_id, r.run_id, s.state, s.reason, s.error_code,
  s.error_description, s.in_doubt, r.balance_type, r.balance_at, r.value, r.revision, r.supersedes, r.supersedes_reason, r.created_at,
  case when s.state = 'pending' then s.next_attempt_at end as next_attempt_at, s.settled_at, s.claims`;

const FILTER_COLUMNS = {
  accountId: 'r.account_id',
  runId: 'r.run_id',
  errorCode: 's.error_code',
  operationExtId: 'r.operation_ext_id',
} as const;

/** SQL conditions of a filter on RECORDS; values are appended to `values`. */
export function filterConditions(filter: RecordFilter, values: unknown[]): string[] {
  const conditions: string[] = [];
  const equal = (column: string, value: string): void => {
    values.push(value);
    conditions.push(`${column} = $${values.length}`);
  };
  for (const name of ['accountId', 'runId', 'errorCode', 'operationExtId'] as const) {
    const value = filter[name];
    if (value !== undefined) equal(FILTER_COLUMNS[name], value);
  }
  if (filter.state === undefined) return conditions;
  const standing = standingOf(filter.state);
  // What failed in a run has an index of its own, which the state's table holds.
  if (standing !== undefined && standing !== 'open' && filter.runId !== undefined) equal('s.run_id', filter.runId);
  if (standing !== undefined) equal('s.standing', standing);
  if (standing === undefined || standing === 'open') equal('s.state', filter.state);
  return conditions;
}

/** Records after `afterId`, oldest first, one more than `limit` where there are more. */
export async function findRecords(
  db: Queryable,
  filter: RecordFilter,
  afterId: string | undefined,
  limit: number,
): Promise<(RecordView & { id: string })[]> {
  const values: unknown[] = [afterId ?? '0', limit + 1];
  const { where, order } = selection(filter, values);
  const rows = await db.query<RecordRow>(
    `select ${RECORD_COLUMNS} from ${RECORDS} where ${where} order by ${order} limit $2`,
    values,
  );
  return rows.map((row) => ({ id: row.id, ...toRecordView(row) }));
}

/** The first of `values` is the id to go on behind. */
function selection(filter: RecordFilter, values: unknown[]): { where: string; order: string } {
  const { state, ...others } = filter;
  const standing = state && standingOf(state);
  // Beside another filter that one's index is the better.
  if (!state || !standing || Object.values(others).some((value) => value !== undefined)) {
    return { where: ['r.id > $1', ...filterConditions(filter, values)].join(' and '), order: 'r.id' };
  }
  values.push(standing, state);
  return { where: `${standingBehind('$3', '$1::bigint', 's')} and s.state = $4`, order: 's.standing, s.record_id' };
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
    attempts: row.claims,
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

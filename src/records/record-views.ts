import type { RecordKind, RecordState } from '../outbox/record-state';
import { standingBehind, standingOf } from '../outbox/standing';
import type { Queryable } from '../shared/database';
import { blocksFrom, inBlock } from '../shared/id-block';
import { lookedUp } from '../shared/looked-up';

export interface RecordFilter {
  state?: RecordState | undefined;
  accountId?: string | undefined;
  runId?: string | undefined;
  errorCode?: string | undefined;
  operationExtId?: string | undefined;
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

/** What RECORD_COLUMNS are about, a record and how far it got, where the record is found first. */
export const RECORDS = `amlyze_record r join record_state s on ${lookedUp('s.record_id', 'r.id')}`;
/** The same, block by block of the ids, as the records of an account are found. */
const OF_ACCOUNT = `${blocksFrom('$1', 'amlyze_record')} cross join ${RECORDS}`;
/** The same, where its state is found first. */
const STATES = `record_state s join amlyze_record r on ${lookedUp('r.id', 's.record_id')}`;

/** `claims` is what a reader counts in the log: every call that carried the record, also those it was not charged for. */
export const RECORD_COLUMNS = `r.id, r.communication_number, r.kind, r.account_id, r.account_ext_id, r.operation_ext_id, r.run_id, s.state, s.reason, s.error_code,
  s.error_description, s.in_doubt, r.balance_type, r.balance_at, r.value, r.revision, r.supersedes, r.supersedes_reason, r.created_at,
  case when s.state = 'pending' then s.next_attempt_at end as next_attempt_at, s.settled_at, s.claims`;

/** Records after `afterId`, oldest first, one more than `limit` where there are more. */
export async function findRecords(
  db: Queryable,
  filter: RecordFilter,
  afterId: string | undefined,
  limit: number,
): Promise<(RecordView & { id: string })[]> {
  const values: unknown[] = [afterId ?? '0', limit + 1];
  const { from, where, order } = selection(filter, values);
  const rows = await db.query<RecordRow>(
    `select ${RECORD_COLUMNS} from ${from} where ${where} order by ${order} limit $2`,
    values,
  );
  return rows.map((row) => ({ id: row.id, ...toRecordView(row) }));
}

/** Where the rows of a list are, which of them, and in which order: the parts of a statement. */
export interface Selection {
  from: string;
  where: string;
  order: string;
}

/**
 * What fails is rare, and the table of states has indexes for it; everything else is found among the records. Either way the other
 * row is looked up: a merge of the two tables would begin at the first record, however far behind it the list goes on.
 *
 * @param values the first is the id to go on behind; what the filter compares with is appended
 */
export function selection(filter: RecordFilter, values: unknown[]): Selection {
  const { state, accountId, runId, errorCode, operationExtId } = filter;
  const standing = state && standingOf(state);
  const ofRecord = accountId !== undefined || operationExtId !== undefined;
  const failedInRun = runId !== undefined && standing !== undefined && standing !== 'open';
  if (!ofRecord && runId === undefined && errorCode === undefined && standing !== undefined) {
    values.push(standing, state);
    const where = `${standingBehind('$3', '$1::bigint', 's')} and s.state = $4`;
    return { from: STATES, where, order: 's.standing, s.record_id' };
  }
  const [from, id, run] =
    !ofRecord && (errorCode !== undefined || failedInRun)
      ? [STATES, 's.record_id', 's.run_id']
      : [RECORDS, 'r.id', 'r.run_id'];
  const conditions = [`${id} > $1`];
  const equal = (column: string, value: string | undefined): void => {
    if (value !== undefined) conditions.push(`${column} = $${values.push(value)}`);
  };
  equal('r.account_id', accountId);
  equal(run, runId);
  equal('s.error_code', errorCode);
  equal('r.operation_ext_id', operationExtId);
  equal('s.standing', standing);
  if (standing === undefined || standing === 'open') equal('s.state', state);
  if (accountId === undefined) return { from, where: conditions.join(' and '), order: id };
  conditions.push(inBlock('r.id'));
  return { from: OF_ACCOUNT, where: conditions.join(' and '), order: 'blocks.block, r.id' };
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

import type { ReadingOutcome } from '../balances/outcome';
import type { Queryable } from '../shared/database';
import { blocksFrom, inBlock } from '../shared/id-block';

export interface ReadingFilter {
  accountId?: string;
  runId?: string;
  outcome?: ReadingOutcome;
}

export interface ReadingView {
  id: string;
  accountId: string;
  accountExtId: string;
  runId: string | null;
  outcome: ReadingOutcome;
  reason: string | null;
  nextReadAt?: string;
  fetchedAt: string;
  balanceAt?: string;
  balanceAtSource?: 'bank' | 'fetch';
  communicationNumber?: string;
  /** Where the account waited in several runs and another of them has the reading itself. */
  firstReadingId?: string;
}

interface ReadingRow {
  id: string;
  account_id: string;
  account_ext_id: string;
  run_id: string | null;
  outcome: ReadingOutcome;
  reason: string | null;
  next_read_at: Date | null;
  fetched_at: Date;
  balance_at: Date | null;
  balance_at_source: 'bank' | 'fetch' | null;
  communication_number: string | null;
  first_reading_id: string | null;
}

/** Readings after `afterId`, oldest first, one more than `limit` where there are more. */
export async function findReadings(
  db: Queryable,
  filter: ReadingFilter,
  afterId: string | undefined,
  limit: number,
): Promise<ReadingView[]> {
  const values: unknown[] = [afterId ?? '0', limit + 1];
  const conditions = ['b.id > $1'];
  const columns = { accountId: 'b.account_id', runId: 'b.run_id', outcome: 'b.outcome' } as const;
  for (const name of ['accountId', 'runId', 'outcome'] as const) {
    const value = filter[name];
    if (value === undefined) continue;
    values.push(value);
    conditions.push(`${columns[name]} = $${values.length}`);
  }
  // What failed is rare, and found by account and outcome.
  const byBlock = filter.accountId !== undefined && (filter.outcome === undefined || filter.outcome === 'READ');
  if (byBlock) conditions.push(inBlock('b.id'));
  const rows = await db.query<ReadingRow>(
    `select b.id, b.account_id, a.account_ext_id, b.run_id, b.outcome, b.reason, b.next_read_at, b.fetched_at, b.balance_at,
  b.balance_at_source, b.communication_number, b.first_reading_id
from ${byBlock ? `${blocksFrom('$1', 'balance_reading')} cross join ` : ''}balance_reading b join account a on a.id = b.account_id
where ${conditions.join(' and ')} order by ${byBlock ? 'blocks.block, ' : ''}b.id limit $2`,
    values,
  );
  return rows.map(toView);
}

function toView(row: ReadingRow): ReadingView {
  return {
    id: row.id,
    accountId: row.account_id,
    accountExtId: row.account_ext_id,
    runId: row.run_id,
    outcome: row.outcome,
    reason: row.reason,
    ...(row.next_read_at && { nextReadAt: row.next_read_at.toISOString() }),
    fetchedAt: row.fetched_at.toISOString(),
    ...(row.balance_at && { balanceAt: row.balance_at.toISOString() }),
    ...(row.balance_at_source && { balanceAtSource: row.balance_at_source }),
    ...(row.communication_number !== null && { communicationNumber: row.communication_number }),
    ...(row.first_reading_id !== null && { firstReadingId: row.first_reading_id }),
  };
}

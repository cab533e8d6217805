import type { MappedBalance } from '../balances/balance';
import type { ReadingOutcome } from '../balances/outcome';
import type { Step } from '../balances/step';
import type { Queryable } from '../shared/database';
import { columnOf } from '../shared/column';
import { jsonLines } from '../shared/json-lines';
import { unseen } from '../shared/looked-up';
import type { AccountReading, SubjectResult } from './subject-result';

/** A row of balance_reading, its id still to come. */
export interface ReadingRow {
  result: SubjectResult;
  accountId: string;
  runId: string | undefined;
  outcome: ReadingOutcome;
  reason: string | undefined;
  nextReadAt: Date | undefined;
  /** Set for the reading that came from the call or the denial itself; that of another run has none of its traces. */
  own: AccountReading | undefined;
  balanceAt: MappedBalance | undefined;
  communicationNumber: string | undefined;
  steps: Step[];
  /** Index of the reading that was made for several runs, where this is that of another of them. */
  first: number | undefined;
  /** It ends the account's part in the run. */
  final: boolean;
}

const RESERVE = {
  name: 'sync-reserve-reading-ids',
  // The sequence is looked up once, not for every id. As one text: the driver needs as long for a list as for the rows of a query.
  text: `select string_agg(nextval((select pg_get_serial_sequence('balance_reading', 'id')::regclass))::text, ',') as ids
from generate_series(1, ${unseen('$1::integer')})`,
};

const INSERT_READINGS = {
  name: 'sync-insert-readings',
  text: `
insert into balance_reading (id, account_id, run_id, outcome, reason, next_read_at, fetched_at, request_id, http_status, latency_ms,
  raw_body, balance_at, balance_at_source, communication_number, steps, first_reading_id, final)
select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::uuid[],
  $9::smallint[], $10::integer[], $11::text[], $12::timestamptz[], $13::text[], $14::text[], string_to_array($15, E'\\n', '')::json[], $16::bigint[], $17::boolean[])`,
};

/** Stores the rows; their ids, in the same order. */
export async function insertReadings(
  tx: Queryable,
  rows: readonly ReadingRow[],
  stepsToJson: (steps: readonly Step[]) => string | null,
): Promise<string[]> {
  if (rows.length === 0) return [];
  const [reserved] = await tx.query<{ ids: string }>(RESERVE, [rows.length]);
  const ids = reserved?.ids.split(',') ?? [];
  const column = <T>(pick: (row: ReadingRow) => T | null | undefined): (T | null)[] | null => columnOf(rows, pick);
  await tx.query(INSERT_READINGS, [
    ids,
    column((r) => r.accountId),
    column((r) => r.runId),
    column((r) => r.outcome),
    column((r) => r.reason),
    column((r) => r.nextReadAt?.toISOString()),
    column((r) => r.result.fetchedAt.toISOString()),
    column((r) => (r.own && r.result.call ? r.result.subject.requestId : null)),
    column((r) => (r.own ? r.result.call?.httpStatus : null)),
    column((r) => (r.own && r.result.call ? Math.round(r.result.call.latencyMs) : null)),
    column((r) => (r.own ? r.result.call?.body : null)),
    column((r) => r.balanceAt?.balanceAt),
    column((r) => r.balanceAt?.balanceAtSource),
    column((r) => r.communicationNumber),
    jsonLines(rows.map((r) => stepsToJson(r.steps))),
    column((r) => (r.first === undefined ? null : at(ids, r.first))),
    column((r) => r.final),
  ]);
  return ids;
}

/** The item that must be there. */
export function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`no item at ${index}`);
  return item;
}

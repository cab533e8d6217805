import { page, type Page } from '../admin/pagination';
import type { Queryable } from '../shared/database';
import { recordsByState } from './count-runs';

export interface RunView {
  id: string;
  trigger: 'schedule' | 'resync';
  slot: string | null;
  scope: unknown;
  force: boolean;
  reason: string | null;
  status: 'running' | 'finished';
  startedAt: string;
  finishedAt: string | null;
  accounts: number;
  outcomes: Record<string, number>;
  records: Record<string, number>;
}

interface StoredRow {
  id: string;
  trigger: 'schedule' | 'resync';
  slot: Date | null;
  scope: unknown;
  force: boolean;
  reason: string | null;
  started_at: Date;
  finished_at: Date | null;
  accounts: number;
  /** Null until they are counted for good. */
  outcomes: Record<string, number> | null;
  records: Record<string, number> | null;
}

interface RunRow extends StoredRow {
  outcomes: Record<string, number>;
  records: Record<string, number>;
}

/** Account ids of a scope that a list shows: a scope may have 10,000, and a page 500 runs. */
const IDS_IN_LIST = 10;

/** Cut by the database, so that what is not shown is not sent either. */
const SCOPE_IN_LIST = `case when jsonb_array_length(r.scope->'accountIds') > ${IDS_IN_LIST} then jsonb_build_object(
    'accountIds', jsonb_path_query_array(r.scope, '$.accountIds[0 to ${IDS_IN_LIST - 1}]'),
    'moreAccountIds', jsonb_array_length(r.scope->'accountIds') - ${IDS_IN_LIST})
  else r.scope end`;

const select = (scope: string, outcomes: string, records: string): string => `
select r.id, r.trigger, r.slot, ${scope} as scope, r.force, r.reason, r.started_at, r.finished_at, r.accounts, ${outcomes} as outcomes, ${records} as records
from sync_run r`;

/** One statement, hence one snapshot: the counts of a run fit together even while it goes on. */
const selectCounted = (scope: string): string =>
  select(
    scope,
    `coalesce(r.outcomes, (select jsonb_object_agg(o.outcome, o.n) from (
     select outcome, count(*) as n from balance_reading b where b.run_id = r.id and b.final group by outcome) o), '{}')`,
    `coalesce(r.records, ${recordsByState('r.id')})`,
  );

/**
 * A page of the runs after `afterId`, oldest first. Of long scopes only the beginning. Where AMLYZE is away for days no run of these days is
 * counted for good, so each that is shown is counted by itself: together they would meet the time limit of statements.
 */
export async function findRuns(db: Queryable, afterId: string | undefined, limit: number): Promise<Page<RunView>> {
  const rows = await db.query<StoredRow>(
    `${select(SCOPE_IN_LIST, 'r.outcomes', 'r.records')} where r.id > $1 order by r.id limit $2`,
    [afterId ?? '0', limit + 1],
  );
  const { items, nextCursor } = page(rows, limit, ({ id }) => id);
  const views: RunView[] = [];
  for (const row of items) {
    const counted = isCounted(row) ? row : await findCounted(db, SCOPE_IN_LIST, row.id);
    if (counted) views.push(toView(counted));
  }
  return { items: views, nextCursor };
}

function isCounted(row: StoredRow): row is RunRow {
  return row.outcomes !== null && row.records !== null;
}

async function findCounted(db: Queryable, scope: string, id: string): Promise<RunRow | undefined> {
  const [row] = await db.query<RunRow>(`${selectCounted(scope)} where r.id = $1`, [id]);
  return row;
}

export async function findRun(db: Queryable, id: string): Promise<RunView | undefined> {
  const row = await findCounted(db, 'r.scope', id);
  return row && toView(row);
}

function toView(row: RunRow): RunView {
  const { id, trigger, scope, force, reason, accounts, outcomes, records } = row;
  return {
    id,
    trigger,
    slot: row.slot?.toISOString() ?? null,
    scope,
    force,
    reason,
    status: row.finished_at ? 'finished' : 'running',
    startedAt: row.started_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
    accounts,
    outcomes,
    records,
  };
}

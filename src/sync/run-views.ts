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

interface RunRow {
  id: string;
  trigger: 'schedule' | 'resync';
  slot: Date | null;
  scope: unknown;
  force: boolean;
  reason: string | null;
  started_at: Date;
  finished_at: Date | null;
  accounts: number;
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

/** One statement, hence one snapshot: the counts of a run fit together even while it goes on. */
const select = (scope: string): string => `
select r.id, r.trigger, r.slot, ${scope} as scope, r.force, r.reason, r.started_at, r.finished_at, r.accounts,
  coalesce(r.outcomes, (select jsonb_object_agg(o.outcome, o.n) from (
     select outcome, count(*) as n from balance_reading b where b.run_id = r.id and b.final group by outcome) o), '{}') as outcomes,
  coalesce(r.records, ${recordsByState('r.id')}) as records
from sync_run r`;

/** Runs after `afterId`, oldest first, one more than `limit` where there are more. Of long scopes only the beginning. */
export async function findRuns(db: Queryable, afterId: string | undefined, limit: number): Promise<RunView[]> {
  const rows = await db.query<RunRow>(`${select(SCOPE_IN_LIST)} where r.id > $1 order by r.id limit $2`, [
    afterId ?? '0',
    limit + 1,
  ]);
  return rows.map(toView);
}

export async function findRun(db: Queryable, id: string): Promise<RunView | undefined> {
  const [row] = await db.query<RunRow>(`${select('r.scope')} where r.id = $1`, [id]);
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

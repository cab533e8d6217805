import type { Queryable } from '../shared/database';

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

/** One statement, hence one snapshot: the counts of a run fit together even while it goes on. */
const SELECT = `
select r.id, r.trigger, r.slot, r.scope, r.force, r.reason, r.started_at, r.finished_at, r.accounts,
  coalesce(r.outcomes, (select jsonb_object_agg(o.outcome, o.n) from (
     select outcome, count(*) as n from balance_reading b where b.run_id = r.id and b.final group by outcome) o), '{}') as outcomes,
  coalesce(r.records, (select jsonb_object_agg(m.state, m.n) from (
     select s.state, count(*) as n from amlyze_record a join record_state s on s.record_id = a.id where a.run_id = r.id group by s.state) m), '{}') as records
from sync_run r`;

/** Runs after `afterId`, oldest first, one more than `limit` where there are more. */
export async function findRuns(db: Queryable, afterId: string | undefined, limit: number): Promise<RunView[]> {
  const rows = await db.query<RunRow>(`${SELECT} where r.id > $1 order by r.id limit $2`, [afterId ?? '0', limit + 1]);
  return rows.map(toView);
}

export async function findRun(db: Queryable, id: string): Promise<RunView | undefined> {
  const [row] = await db.query<RunRow>(`${SELECT} where r.id = $1`, [id]);
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

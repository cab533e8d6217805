import type { Database, Queryable } from '../shared/database';

/** Which accounts a run concerns: one selector, as the resync call names it. */
export type RunScope = { all: true } | { accountIds: string[] } | { consentId: string } | { connectionId: string };

export interface OpenedRun {
  runId: string;
  accounts: number;
  /** The same scope was still being worked on: this is that run. */
  joined: boolean;
}

/** Filling a run with a million accounts takes longer than any other statement may. */
const FILL_TIMEOUT = `set local statement_timeout = '10min'`;

/** Accounts on paused connections get their outcome here: claiming them one by one would only delay the others. */
const FILL_PAUSED = `
with paused as materialized (
  select a.id, a.connection_id, a.subject_id, nextval(pg_get_serial_sequence('balance_reading', 'id')) as reading_id,
    'the connection is paused: ' || coalesce(k.pause_reason, 'no reason given') as reason
  from account a join connection k on k.id = a.connection_id
  where k.status = 'paused' and a.id in (select id from concerned)
), read as (
  insert into balance_reading (id, account_id, run_id, outcome, reason)
  select reading_id, id, $1, 'PAUSED', reason from paused
)
insert into sync_run_account (run_id, account_id, connection_id, subject_id, outcome, reading_id)
select $1, id, connection_id, subject_id, 'PAUSED', reading_id from paused`;

const FILL_DUE = `
insert into sync_run_account (run_id, account_id, connection_id, subject_id)
select $1, a.id, a.connection_id, a.subject_id
from account a
where a.id in (select id from concerned)
  and not exists (select 1 from sync_run_account s where s.run_id = $1 and s.account_id = a.id)`;

/** Opens the run of a slot, once over all replicas; undefined when it was opened before or lies before this installation. */
export async function openScheduledRun(database: Database, slot: Date): Promise<OpenedRun | undefined> {
  const [known] = await database.query(`select 1 from sync_run where slot = $1`, [slot]);
  if (known) return undefined;
  return database.transaction(async (tx) => {
    const [run] = await tx.query<{ id: string }>(
      `insert into sync_run (trigger, slot, scope)
select 'schedule', $1, '{"all": true}' from installation where created_at <= $1
on conflict (slot) do nothing
returning id`,
      [slot],
    );
    if (!run) return undefined;
    const accounts = await fill(
      tx,
      run.id,
      `select id from account where status = 'active' and created_at <= $2`,
      slot,
    );
    return { runId: run.id, accounts, joined: false };
  });
}

export interface ManualRun {
  scope: RunScope;
  force: boolean;
  reason: string | undefined;
}

/** Opens a run on an operator's word, or returns the one that still goes on for the same scope and the same force. */
export async function openManualRun(tx: Queryable, request: ManualRun): Promise<OpenedRun> {
  const scope = JSON.stringify(request.scope);
  // Two identical calls at the same moment must find each other: the later one waits here and then sees the run.
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('sync_run:' || $1, 0))`, [scope]);
  const [running] = await tx.query<{ id: string; accounts: number }>(
    `select id, accounts from sync_run where finished_at is null and scope = $1::jsonb and force = $2 order by id limit 1`,
    [scope, request.force],
  );
  if (running) return { runId: running.id, accounts: running.accounts, joined: true };
  const [run] = await tx.query<{ id: string }>(
    `insert into sync_run (trigger, scope, force, reason) values ('resync', $1::jsonb, $2, $3) returning id`,
    [scope, request.force, request.reason ?? null],
  );
  if (!run) throw new Error('sync_run returned no row');
  const accounts = await fillManual(tx, run.id, request.scope);
  return { runId: run.id, accounts, joined: false };
}

async function fillManual(tx: Queryable, runId: string, scope: RunScope): Promise<number> {
  if ('accountIds' in scope) return fill(tx, runId, 'select unnest($2::bigint[]) as id', scope.accountIds);
  if ('consentId' in scope)
    return fill(tx, runId, `select id from account where status = 'active' and consent_id = $2`, scope.consentId);
  if ('connectionId' in scope) {
    return fill(tx, runId, `select id from account where status = 'active' and connection_id = $2`, scope.connectionId);
  }
  return fill(tx, runId, `select id from account where status = 'active' and $2::boolean`, true);
}

async function fill(tx: Queryable, runId: string, concerned: string, argument: unknown): Promise<number> {
  await tx.query(FILL_TIMEOUT);
  const head = `with concerned as (${concerned})`;
  await tx.query(FILL_PAUSED.replace('with paused', `${head}, paused`), [runId, argument]);
  await tx.query(`${head} ${FILL_DUE}`, [runId, argument]);
  const [run] = await tx.query<{ accounts: number }>(
    `update sync_run set accounts = (select count(*) from sync_run_account where run_id = $1) where id = $1 returning accounts`,
    [runId],
  );
  return run?.accounts ?? 0;
}

/** Ends every run whose accounts all have an outcome; returns the ids. */
export async function finishRuns(db: Queryable): Promise<string[]> {
  const rows = await db.query<{ id: string }>({
    name: 'sync-finish-runs',
    text: `update sync_run r
set finished_at = now(),
    outcomes = (select coalesce(jsonb_object_agg(o.outcome, o.n), '{}')
                from (select outcome, count(*) as n from sync_run_account where run_id = r.id group by outcome) o)
where r.finished_at is null and not exists (select 1 from sync_run_account s where s.run_id = r.id and s.outcome is null)
returning id`,
  });
  return rows.map((row) => row.id);
}

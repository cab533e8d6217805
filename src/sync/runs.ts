import type { Database, Queryable } from '../shared/database';
import { giveNotice } from '../shared/notices';

/** Which accounts a run concerns: one selector, as the resync call names it. */
export type RunScope = { all: true } | { accountIds: string[] } | { consentId: string } | { connectionId: string };

export interface OpenedRun {
  runId: string;
  /** Of a resync all that it concerns, of a slot those that are in it so far. */
  accounts: number;
  /** The same scope was still being worked on: this is that run. */
  joined: boolean;
}

/** Accounts put into a run by one statement: a run of a million must not meet any statement's time-out, nor wait for its last. */
const FILL_STEP = 20_000;
/** Accounts after which the call of a resync is answered, one to three seconds' work; the others follow as those of a slot do. */
const FILLED_AT_ONCE = 100_000;

// A slot does not concern an account that came after it.
const ACTIVE = `a.status = 'active' and a.created_at <= coalesce((select slot from sync_run where id = $1), 'infinity')`;

/** What the selector of run `$1` says of account `a`; its argument is `$3`. */
function concernedBy(scope: RunScope): { concerned: string; argument: unknown } {
  if ('accountIds' in scope) return { concerned: 'a.id = any($3::bigint[])', argument: scope.accountIds };
  if ('consentId' in scope) return { concerned: `${ACTIVE} and a.consent_id = $3`, argument: scope.consentId };
  if ('connectionId' in scope) return { concerned: `${ACTIVE} and a.connection_id = $3`, argument: scope.connectionId };
  return { concerned: `${ACTIVE} and $3::boolean`, argument: scope.all };
}

/**
 * Accounts on paused connections get their outcome here: claiming them one by one would only delay the others. A closed one, which a resync
 * may name, is claimed as usual and told to be closed. `$2` is the last account of the step before.
 */
const fillStep = (concerned: string): string => `
with concerned as materialized (
  select a.id, a.connection_id, a.subject_id, a.status from account a where a.id > $2 and ${concerned} order by a.id limit ${FILL_STEP}
), paused as materialized (
  select c.id, 'the connection is paused: ' || coalesce(k.pause_reason, 'no reason given') as reason
  from concerned c join connection k on k.id = c.connection_id
  where k.status = 'paused' and c.status = 'active'
), read as (
  insert into balance_reading (account_id, run_id, outcome, reason) select id, $1, 'PAUSED', reason from paused
), filled as (
  insert into waiting_account (run_id, account_id, connection_id, subject_id)
  select $1, c.id, c.connection_id, c.subject_id from concerned c left join paused p on p.id = c.id where p.id is null
)
select count(*)::int as accounts, max(id) as last_id from concerned`;

/** Runs of one scope are opened one after the other, so that each sees the one before it. Held until the commit. */
const SCOPE_LOCK = `hashtextextended('sync_run:' || $1, 0)`;
const ALL: RunScope = { all: true };

/**
 * Opens the run of a slot, once over all replicas, with the first of its accounts (`fillNextStep` puts in the others); undefined when
 * it was opened before, lies before this installation, or another replica or an operator is just opening a run of all accounts (then
 * the next poll looks again).
 */
export async function openScheduledRun(database: Database, slot: Date): Promise<OpenedRun | undefined> {
  if (await isOpened(database, slot)) return undefined;
  return database.transaction(async (tx) => {
    const scope = JSON.stringify(ALL);
    const [lock] = await tx.query<{ taken: boolean }>(`select pg_try_advisory_xact_lock(${SCOPE_LOCK}) as taken`, [
      scope,
    ]);
    if (!lock?.taken) return undefined;
    const [run] = await tx.query<{ id: string }>(
      `insert into sync_run (trigger, slot, scope)
select 'schedule', $1, $2::jsonb from installation where created_at <= $1
on conflict (slot) do nothing
returning id`,
      [slot, scope],
    );
    if (!run) return undefined;
    const { accounts } = await fill(tx, { id: run.id, scope: ALL, filled_to: '0' });
    return { runId: run.id, accounts, joined: false };
  });
}

/** A run that is being filled. */
interface FillingRun {
  id: string;
  scope: RunScope;
  filled_to: string;
}

/** What one more step made of a run. */
export interface FilledStep {
  runId: string;
  /** In the run so far. */
  accounts: number;
  complete: boolean;
}

/**
 * Puts the next accounts into the oldest run that is not complete, and commits; undefined where there is none, or
 * another replica is at it. Whoever opened the run may have died: its step is lost whole, and the next goes on from there.
 */
export async function fillNextStep(database: Database): Promise<FilledStep | undefined> {
  return database.transaction(async (tx) => {
    const [run] = await tx.query<FillingRun>({
      name: 'sync-lock-filling-run',
      text: `select id, scope, filled_to from sync_run where filled_to is not null order by id limit 1 for no key update skip locked`,
    });
    if (!run) return undefined;
    const { accounts, lastId } = await fill(tx, run);
    return { runId: run.id, accounts, complete: lastId === undefined };
  });
}

interface Filled {
  /** In the run so far. */
  accounts: number;
  /** Where the next step goes on; undefined once the run is complete. */
  lastId: string | undefined;
}

async function fill(tx: Queryable, { id, scope, filled_to: after }: FillingRun): Promise<Filled> {
  const { concerned, argument } = concernedBy(scope);
  const [step] = await tx.query<{ accounts: number; last_id: string | null }>(fillStep(concerned), [
    id,
    after,
    argument,
  ]);
  const added = step?.accounts ?? 0;
  const lastId = added === FILL_STEP ? (step?.last_id ?? undefined) : undefined;
  if (added > 0) await giveNotice(tx, 'reads-due');
  const [run] = await tx.query<{ accounts: number }>(
    `update sync_run set accounts = accounts + $2, filled_to = $3 where id = $1 returning accounts`,
    [id, added, lastId ?? null],
  );
  return { accounts: run?.accounts ?? 0, lastId };
}

/** The slot has its run, or never gets one because it lies before this installation. */
export async function isServed(db: Queryable, slot: Date): Promise<boolean> {
  const [row] = await db.query(`select 1 from installation where created_at > $1`, [slot]);
  return row !== undefined || isOpened(db, slot);
}

async function isOpened(db: Queryable, slot: Date): Promise<boolean> {
  const [row] = await db.query(`select 1 from sync_run where slot = $1`, [slot]);
  return row !== undefined;
}

export interface ManualRun {
  scope: RunScope;
  force: boolean;
  reason: string | undefined;
}

/**
 * Opens a run on an operator's word, or returns the one that still goes on for the same scope and the same force. The first of its accounts
 * are in it then, and `fillNextStep` puts in the others.
 *
 * @param atOnce accounts that are put in here; the step that reaches it is the last
 */
export async function openManualRun(tx: Queryable, request: ManualRun, atOnce = FILLED_AT_ONCE): Promise<OpenedRun> {
  const { scope, force, reason } = request;
  const scopeJson = JSON.stringify(scope);
  // Two identical calls at the same moment must find each other: the later one waits here and then sees the run.
  await tx.query(`select pg_advisory_xact_lock(${SCOPE_LOCK})`, [scopeJson]);
  const [running] = await tx.query<{ id: string; accounts: number; filled_to: string | null }>(
    // A run whose accounts are all read goes on no more, even if nobody has written that down yet.
    `select id, accounts, filled_to from sync_run r where finished_at is null and scope = $1::jsonb and force = $2
  and (filled_to is not null or (select true from waiting_account s where s.run_id = r.id limit 1))
order by id limit 1`,
    [scopeJson, force],
  );
  if (running) {
    const accounts = running.accounts + (await countMissing(tx, { id: running.id, scope }, running.filled_to));
    return { runId: running.id, accounts, joined: true };
  }
  const [run] = await tx.query<{ id: string }>(
    `insert into sync_run (trigger, scope, force, reason) values ('resync', $1::jsonb, $2, $3) returning id`,
    [scopeJson, force, reason ?? null],
  );
  if (!run) throw new Error('sync_run returned no row');
  const { id } = run;
  let filled = await fill(tx, { id, scope, filled_to: '0' });
  while (filled.lastId !== undefined && filled.accounts < atOnce) {
    filled = await fill(tx, { id, scope, filled_to: filled.lastId });
  }
  const missing = await countMissing(tx, { id, scope }, filled.lastId ?? null);
  return { runId: id, accounts: filled.accounts + missing, joined: false };
}

/** Accounts that are still to be put into the run; none where it is complete. */
async function countMissing(
  tx: Queryable,
  { id, scope }: Pick<FillingRun, 'id' | 'scope'>,
  after: string | null,
): Promise<number> {
  if (after === null) return 0;
  const { concerned, argument } = concernedBy(scope);
  const [row] = await tx.query<{ n: number }>(
    `select count(*)::int as n from account a where a.id > $2 and ${concerned}`,
    [id, after, argument],
  );
  return row?.n ?? 0;
}

export interface FinishedRun {
  runId: string;
  accounts: number;
  /** Accounts by outcome. */
  outcomes: Record<string, number>;
  /** From its opening on. */
  seconds: number;
  /** Accounts of the run that left it without an outcome. Never any; if there are, it is a fault of ours that nobody should miss. */
  missing: number;
}

/** Readings of one run that are counted by one statement, so that a run of millions does not meet the time limit of statements. */
const COUNT_STEP = 100_000;

const OVER = {
  name: 'sync-find-runs-that-are-over',
  text: `
select r.id from sync_run r
where r.finished_at is null and r.filled_to is null and (select true from waiting_account s where s.run_id = r.id limit 1) is null
order by r.id`,
};

const COUNT_OUTCOMES = {
  name: 'sync-count-outcomes',
  text: `
with step as materialized (
  select b.id, b.outcome, b.final from balance_reading b where b.run_id = $1 and b.id > $2 order by b.run_id, b.id limit $3
)
select outcome, (count(*) filter (where final))::int as final, count(*)::int as readings, max(id) as last_id from step group by outcome`,
};

const FINISH = {
  name: 'sync-finish-run',
  text: `update sync_run set finished_at = now(), outcomes = $2::jsonb where id = $1 and finished_at is null
returning accounts, round(extract(epoch from finished_at - started_at), 1)::float8 as seconds`,
};

/**
 * Ends every run in which no account waits any more. Nothing enters such a run again, and a reading never changes: so its outcomes
 * can be counted in steps, and by several replicas.
 *
 * @param step readings in one step of counting
 */
export async function finishRuns(db: Queryable, step = COUNT_STEP): Promise<FinishedRun[]> {
  const finished: FinishedRun[] = [];
  for (const { id } of await db.query<{ id: string }>(OVER)) {
    const outcomes = Object.fromEntries(await countOutcomes(db, id, step));
    const [run] = await db.query<{ accounts: number; seconds: number }>(FINISH, [id, JSON.stringify(outcomes)]);
    if (!run) continue;
    const counted = Object.values(outcomes).reduce((sum, accounts) => sum + accounts, 0);
    finished.push({ runId: id, ...run, outcomes, missing: run.accounts - counted });
  }
  return finished;
}

/** Accounts of the run by the outcome of the reading that ended their part in it. */
async function countOutcomes(db: Queryable, runId: string, step: number): Promise<Map<string, number>> {
  const outcomes = new Map<string, number>();
  let lastId = 0n;
  for (let readings = step; readings === step;) {
    const rows = await db.query<{ outcome: string; final: number; readings: number; last_id: string }>(COUNT_OUTCOMES, [
      runId,
      lastId,
      step,
    ]);
    readings = 0;
    for (const row of rows) {
      readings += row.readings;
      if (BigInt(row.last_id) > lastId) lastId = BigInt(row.last_id);
      if (row.final > 0) outcomes.set(row.outcome, (outcomes.get(row.outcome) ?? 0) + row.final);
    }
  }
  return outcomes;
}

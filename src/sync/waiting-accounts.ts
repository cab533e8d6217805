import type { ReadingOutcome } from '../balances/outcome';
import type { Queryable } from '../shared/database';
import { blocksDown, inBlock } from '../shared/id-block';
import { lookedUp } from '../shared/looked-up';

/** One account that waits for its subject's read, with the runs that wait, the leading one first. */
export interface WaitingAccount {
  accountId: string;
  currency: string;
  accountExtId: string;
  businessUnit: string | undefined;
  closed: boolean;
  pinnedTypes: Record<string, string>;
  runs: WaitingRun[];
}

export interface WaitingRun {
  runId: string;
  /** The slot of a scheduled run. */
  slot: Date | undefined;
  startedAt: Date;
  force: boolean;
  /** Repeats within the run so far. */
  tries: number;
}

/** What waits for one subject. */
export interface Waiting {
  accounts: WaitingAccount[];
  /** Set where nobody waits for more than the repeat of a read that failed: how it failed. */
  repeatOf: { outcome: ReadingOutcome; reason: string } | undefined;
  /** A token was refused and renewed within these runs. */
  tokenRenewed: boolean;
}

// The tries of a run are the latest readings: the blocks come newest first, and the limit ends the search for them in the first or second.
// `id + 0` is no index's order, or the primary key would look as good as the index by block where statistics are of an empty table; and
// `is true` makes the comparison of subjects no condition to join by.
const LOAD_WAITING = {
  name: 'sync-load-waiting',
  text: `
select s.subject_id, s.run_id, s.account_id, s.tries,
  a.currency, a.account_ext_id, a.business_unit, a.status = 'closed' as closed, a.pinned_types,
  before.outcomes as outcomes_before, before.reason as reason_before
from waiting_account s join account a on ${lookedUp('a.id', 's.account_id')}
cross join lateral (
  select array_agg(b.outcome order by b.id desc) as outcomes, (array_agg(b.reason order by b.id desc))[1] as reason
  from (
    select r.* from ${blocksDown('balance_reading')} cross join lateral (
      select id, outcome, reason from balance_reading
      where ${inBlock('id')} and account_id = s.account_id order by id + 0 desc limit s.tries
    ) r
    where s.tries > 0
    limit s.tries
  ) b
) before
where s.subject_id = any($1::bigint[]) and (a.subject_id = s.subject_id) is true
order by s.subject_id, s.account_id, s.run_id`,
};

/** A run is the same for all of its accounts, so it is not told with each of them. */
const LOAD_RUNS = {
  name: 'sync-load-runs',
  text: 'select id, slot, started_at, force from sync_run where id = any($1::bigint[])',
};

interface WaitingRow {
  subject_id: string;
  run_id: string;
  account_id: string;
  tries: number;
  currency: string;
  account_ext_id: string;
  business_unit: string | null;
  closed: boolean;
  pinned_types: Record<string, string>;
  /** Of the tries within the run, the latest first. */
  outcomes_before: ReadingOutcome[] | null;
  reason_before: string | null;
}

type Run = Omit<WaitingRun, 'tries'>;

/** Everything that waits for the subjects, by subject; nothing of an account that has another subject by now. */
export async function findWaiting(tx: Queryable, subjectIds: readonly string[]): Promise<Map<string, Waiting>> {
  const rows = await tx.query<WaitingRow>(LOAD_WAITING, [subjectIds]);
  const runs = await findRuns(tx, [...new Set(rows.map((row) => row.run_id))]);
  return new Map([...Map.groupBy(rows, (row) => row.subject_id)].map(([id, own]) => [id, toWaiting(own, runs)]));
}

/**
 * Accounts that were moved to another consent while their run was being filled: the move could not see that they wait, and the run not
 * that they move. They wait for their own subject from now on; a row that somebody else holds follows at the next claim.
 */
export async function followMoved(tx: Queryable, subjectIds: readonly string[]): Promise<void> {
  await tx.query(
    `with moved as materialized (
  select s.run_id, s.account_id, a.subject_id from waiting_account s join account a on ${lookedUp('a.id', 's.account_id')}
  where s.subject_id = any($1::bigint[]) and a.subject_id <> s.subject_id
  order by s.run_id, s.account_id for update of s skip locked
)
update waiting_account s set subject_id = m.subject_id from moved m where ${lookedUp('s.run_id', 'm.run_id')} and s.account_id = m.account_id`,
    [subjectIds],
  );
}

async function findRuns(tx: Queryable, runIds: readonly string[]): Promise<Map<string, Run>> {
  const rows = await tx.query<{ id: string; slot: Date | null; started_at: Date; force: boolean }>(LOAD_RUNS, [runIds]);
  return new Map(
    rows.map(({ id, slot, started_at: startedAt, force }) => [
      id,
      { runId: id, slot: slot ?? undefined, startedAt, force },
    ]),
  );
}

function toWaiting(rows: readonly WaitingRow[], runs: ReadonlyMap<string, Run>): Waiting {
  const repeats = rows.map(({ outcomes_before: outcomes, reason_before: reason }) =>
    outcomes?.[0] === undefined ? undefined : { outcome: outcomes[0], reason: reason ?? outcomes[0] },
  );
  return {
    accounts: toAccounts(rows, runs),
    repeatOf: repeats.includes(undefined) ? undefined : repeats[0],
    tokenRenewed: rows.some((row) => row.outcomes_before?.includes('TOKEN_REJECTED')),
  };
}

function toAccounts(rows: readonly WaitingRow[], runs: ReadonlyMap<string, Run>): WaitingAccount[] {
  // Nearly always one account in one run, of which hundreds are held at a time.
  const byAccount = rows.length === 1 ? [rows] : [...Map.groupBy(rows, (row) => row.account_id).values()];
  return byAccount.map((own) => toAccount(own, runs));
}

/** @param rows of one account, a run each */
function toAccount(rows: readonly WaitingRow[], runs: ReadonlyMap<string, Run>): WaitingAccount {
  const [row] = rows;
  if (!row) throw new Error('an account waits in no run');
  const waiting = rows.map((each) => toRun(each, runs));
  // A forced run leads, since it wants a record in any case; of several the oldest.
  if (waiting.length > 1) waiting.sort((one, other) => Number(other.force) - Number(one.force));
  return {
    accountId: row.account_id,
    currency: row.currency,
    accountExtId: row.account_ext_id,
    businessUnit: row.business_unit ?? undefined,
    closed: row.closed,
    pinnedTypes: row.pinned_types,
    runs: waiting,
  };
}

function toRun({ run_id: runId, tries }: WaitingRow, runs: ReadonlyMap<string, Run>): WaitingRun {
  const run = runs.get(runId);
  if (!run) throw new Error(`run ${runId} is missing`);
  return { ...run, tries };
}

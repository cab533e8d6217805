import type { ReadingOutcome } from '../balances/outcome';
import type { Queryable } from '../shared/database';
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

const LOAD_WAITING = {
  name: 'sync-load-waiting',
  text: `
select s.subject_id, s.run_id, s.account_id, s.tries, r.slot, r.started_at, r.force,
  a.currency, a.account_ext_id, a.business_unit, a.status = 'closed' as closed, a.pinned_types,
  before.outcomes as outcomes_before, before.reason as reason_before
from waiting_account s join sync_run r on ${lookedUp('r.id', 's.run_id')} join account a on ${lookedUp('a.id', 's.account_id')}
cross join lateral (
  select array_agg(b.outcome order by b.id desc) as outcomes, (array_agg(b.reason order by b.id desc))[1] as reason
  from (select id, outcome, reason from balance_reading where account_id = s.account_id order by id desc limit s.tries) b
) before
where s.subject_id = any($1::bigint[])
order by s.subject_id, s.account_id, r.force desc, s.run_id`,
};

interface WaitingRow {
  subject_id: string;
  run_id: string;
  account_id: string;
  tries: number;
  slot: Date | null;
  started_at: Date;
  force: boolean;
  currency: string;
  account_ext_id: string;
  business_unit: string | null;
  closed: boolean;
  pinned_types: Record<string, string>;
  /** Of the tries within the run, the latest first. */
  outcomes_before: ReadingOutcome[] | null;
  reason_before: string | null;
}

/** Everything that waits for the subjects, by subject. */
export async function findWaiting(tx: Queryable, subjectIds: readonly string[]): Promise<Map<string, Waiting>> {
  const bySubject = new Map<string, WaitingRow[]>();
  for (const row of await tx.query<WaitingRow>(LOAD_WAITING, [subjectIds])) {
    const rows = bySubject.get(row.subject_id);
    if (rows) rows.push(row);
    else bySubject.set(row.subject_id, [row]);
  }
  return new Map([...bySubject].map(([id, rows]) => [id, toWaiting(rows)]));
}

function toWaiting(rows: readonly WaitingRow[]): Waiting {
  const repeats = rows.map(({ outcomes_before: outcomes, reason_before: reason }) =>
    outcomes?.[0] === undefined ? undefined : { outcome: outcomes[0], reason: reason ?? outcomes[0] },
  );
  return {
    accounts: toAccounts(rows),
    repeatOf: repeats.includes(undefined) ? undefined : repeats[0],
    tokenRenewed: rows.some((row) => row.outcomes_before?.includes('TOKEN_REJECTED')),
  };
}

function toAccounts(rows: readonly WaitingRow[]): WaitingAccount[] {
  const accounts = new Map<string, WaitingAccount>();
  for (const row of rows) {
    const account = accounts.get(row.account_id) ?? {
      accountId: row.account_id,
      currency: row.currency,
      accountExtId: row.account_ext_id,
      businessUnit: row.business_unit ?? undefined,
      closed: row.closed,
      pinnedTypes: row.pinned_types,
      runs: [],
    };
    accounts.set(row.account_id, account);
    account.runs.push({
      runId: row.run_id,
      slot: row.slot ?? undefined,
      startedAt: row.started_at,
      force: row.force,
      tries: row.tries,
    });
  }
  return [...accounts.values()];
}

import { randomUUID } from 'node:crypto';
import type { Database, Queryable } from '../shared/database';
import { decideRead, type Denial, type SubjectState } from './decide-read';

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

/** A subject that this replica may read until its lease ends. Every later write names `epoch`, the fence. */
export interface ClaimedSubject {
  state: SubjectState;
  accounts: WaitingAccount[];
  /** Set where no call may be made. */
  denial: Denial | undefined;
  /** X-Request-ID of the call; a ledger row with it is committed. */
  requestId: string;
  /** Reads left in the window after this one. */
  readsLeft: number;
  /** Database clock when the claim was made. */
  claimedAt: Date;
}

/** How many subjects of which connection may be claimed, and how its budget is counted. */
export interface ClaimQuota {
  connectionId: string;
  quota: number;
  accessScope: 'account' | 'consent';
  accessWindow: 'rolling-24h' | 'calendar-day';
  timeZone: string | undefined;
  /** Why this build cannot use the connection (a secret that does not open, say); its reads end without a call. */
  broken?: string;
}

const DUE_CONNECTIONS = {
  name: 'sync-due-connections',
  text: `
with recursive open_connection as (
  (select connection_id from sync_run_account where outcome is null order by connection_id limit 1)
  union all
  select (select s.connection_id from sync_run_account s
          where s.outcome is null and s.connection_id > o.connection_id order by s.connection_id limit 1)
  from open_connection o where o.connection_id is not null
)
select connection_id from open_connection o
where connection_id is not null
  and exists (select 1 from sync_run_account d where d.connection_id = o.connection_id and d.outcome is null and d.due_at <= now())`,
};

/** Connections with accounts that are due now. One index step a connection, however many accounts wait. */
export async function findDueConnections(db: Queryable): Promise<string[]> {
  const rows = await db.query<{ connection_id: string }>(DUE_CONNECTIONS);
  return rows.map((row) => row.connection_id);
}

const CLAIM = {
  name: 'sync-claim-subjects',
  text: `
with wanted as (
  select * from unnest($1::bigint[], $2::integer[]) as w(connection_id, quota)
), picked as materialized (
  select p.id from wanted w cross join lateral (
    select u.id from sync_run_account s join access_subject u on u.id = s.subject_id
    where s.connection_id = w.connection_id and s.outcome is null and s.due_at <= now()
      and (u.lease_until is null or u.lease_until < now())
    order by s.due_at, s.run_id, s.account_id
    limit w.quota
    for update of u skip locked
  ) p
)
update access_subject u
set epoch = u.epoch + 1, claimed_by = $3, lease_until = now() + make_interval(secs => $4::float8)
from (select distinct id from picked) p
where u.id = p.id
returning u.id`,
};

const LOAD_SUBJECTS = {
  name: 'sync-load-subjects',
  text: `
select u.id, u.epoch, u.bank_code, u.provider_account_id, u.not_before, u.not_before_reason,
  c.id as consent_row_id, c.consent_id, c.status as consent_status, c.stopped_outcome, c.stopped_reason, c.valid_until,
  c.access_token, c.frequency_per_day, c.not_before as consent_not_before, c.not_before_reason as consent_not_before_reason,
  k.id as connection_id, k.status as connection_status, k.pause_reason, k.not_before as connection_not_before,
  k.not_before_reason as connection_not_before_reason, now() as now, w.window_start, w.window_end, b.used, b.limiting_read_at
from unnest($1::bigint[]) as x(id)
join access_subject u on u.id = x.id
join consent c on c.id = u.consent_id
join connection k on k.id = c.connection_id
join unnest($2::bigint[], $3::boolean[], $4::text[]) as q(connection_id, by_consent, day_zone) on q.connection_id = k.id
cross join lateral (
  select case when q.day_zone is null then now() - interval '24 hours' else date_trunc('day', now(), q.day_zone) end as window_start,
         case when q.day_zone is not null then date_trunc('day', now() at time zone q.day_zone) + interval '1 day' end at time zone coalesce(q.day_zone, 'UTC') as window_end
) w
cross join lateral (
  select count(*)::int as used, (array_agg(l.read_at order by l.read_at desc))[c.frequency_per_day] as limiting_read_at
  from access_ledger l
  where l.read_at > w.window_start
    and case when q.by_consent then l.consent_id = c.id else l.subject_id = u.id end
) b
order by u.id`,
};

const LOAD_WAITING = {
  name: 'sync-load-waiting',
  text: `
select s.subject_id, s.run_id, s.account_id, s.tries, r.slot, r.started_at, r.force,
  a.currency, a.account_ext_id, a.business_unit, a.status = 'closed' as closed, a.pinned_types
from sync_run_account s join sync_run r on r.id = s.run_id join account a on a.id = s.account_id
where s.subject_id = any($1::bigint[]) and s.outcome is null
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
}

export interface SubjectRow {
  id: string;
  epoch: string;
  bank_code: string;
  provider_account_id: string;
  not_before: Date | null;
  not_before_reason: string | null;
  consent_row_id: string;
  consent_id: string;
  consent_status: string;
  stopped_outcome: 'CONSENT_REQUIRED' | 'TOKEN_REJECTED' | null;
  stopped_reason: string | null;
  valid_until: Date | null;
  access_token: string | null;
  frequency_per_day: number;
  consent_not_before: Date | null;
  consent_not_before_reason: string | null;
  connection_id: string;
  connection_status: string;
  pause_reason: string | null;
  connection_not_before: Date | null;
  connection_not_before_reason: string | null;
  now: Date;
  window_start: Date;
  window_end: Date | null;
  used: number;
  limiting_read_at: Date | null;
}

export interface ReadClaim {
  quotas: readonly ClaimQuota[];
  replica: string;
  leaseSeconds: number;
}

/**
 * Claims due subjects and commits, in one transaction: the lease, the decision whether a call may be made, and the
 * ledger row of every call that will be made. The subject's row (and the consent's, where the budget is the consent's)
 * is locked before its reads are counted, so that no two replicas can both take the last one.
 */
export async function claimReads(database: Database, claim: ReadClaim): Promise<ClaimedSubject[]> {
  return database.transaction(async (tx) => {
    const { quotas } = claim;
    const ids = (
      await tx.query<{ id: string }>(CLAIM, [
        quotas.map((q) => q.connectionId),
        quotas.map((q) => q.quota),
        claim.replica,
        claim.leaseSeconds,
      ])
    ).map((row) => row.id);
    if (ids.length === 0) return [];
    if (quotas.some((q) => q.accessScope === 'consent')) await lockConsents(tx, ids);
    const subjects = await loadSubjects(tx, ids, quotas);
    const waiting = await tx.query<WaitingRow>(LOAD_WAITING, [ids]);
    const claimed = assemble(subjects, waiting, quotas);
    await insertLedger(tx, claimed);
    return claimed;
  });
}

async function lockConsents(tx: Queryable, subjectIds: readonly string[]): Promise<void> {
  await tx.query(
    `select id from consent where id in (select consent_id from access_subject where id = any($1::bigint[])) order by id for update`,
    [subjectIds],
  );
}

/** Also used for a live preview, which is counted like any other read. */
export async function loadSubjects(
  tx: Queryable,
  ids: readonly string[],
  quotas: readonly ClaimQuota[],
): Promise<SubjectRow[]> {
  return tx.query<SubjectRow>(LOAD_SUBJECTS, [
    ids,
    quotas.map((q) => q.connectionId),
    quotas.map((q) => q.accessScope === 'consent'),
    quotas.map((q) => (q.accessWindow === 'calendar-day' ? (q.timeZone ?? 'UTC') : null)),
  ]);
}

function assemble(
  subjects: readonly SubjectRow[],
  waiting: readonly WaitingRow[],
  quotas: readonly ClaimQuota[],
): ClaimedSubject[] {
  const byConsent = new Set(quotas.filter((q) => q.accessScope === 'consent').map((q) => q.connectionId));
  const accountsOf = groupAccounts(waiting);
  // Subjects of one consent that are claimed together share its budget: each call granted here counts for the next.
  const granted = new Map<string, number>();
  return subjects.map((row) => {
    const key = byConsent.has(row.connection_id) ? `consent ${row.consent_row_id}` : `subject ${row.id}`;
    const state = toState(row, granted.get(key) ?? 0);
    const accounts = accountsOf.get(row.id) ?? [];
    const broken = quotas.find((quota) => quota.connectionId === row.connection_id)?.broken;
    const denial =
      broken === undefined ? decideRead(state, accounts) : { outcome: 'GATEWAY_ERROR' as const, reason: broken };
    if (!denial) granted.set(key, (granted.get(key) ?? 0) + 1);
    const readsLeft = row.frequency_per_day - state.used - 1;
    return { state, accounts, denial, requestId: randomUUID(), readsLeft, claimedAt: row.now };
  });
}

/** `alreadyGranted`: calls granted in this very transaction, which the ledger does not show yet. */
export function toState(row: SubjectRow, alreadyGranted: number): SubjectState {
  return {
    subjectId: row.id,
    epoch: row.epoch,
    bankCode: row.bank_code,
    providerAccountId: row.provider_account_id,
    consentRowId: row.consent_row_id,
    consentId: row.consent_id,
    sealedAccessToken: row.access_token ?? undefined,
    connectionId: row.connection_id,
    now: row.now,
    connection: { paused: row.connection_status === 'paused', reason: row.pause_reason ?? undefined },
    consent: {
      status: row.consent_status,
      stopped: row.stopped_outcome
        ? { outcome: row.stopped_outcome, reason: row.stopped_reason ?? 'no reason recorded' }
        : undefined,
      validUntil: row.valid_until ?? undefined,
    },
    waits: [
      { until: row.connection_not_before, reason: row.connection_not_before_reason },
      { until: row.consent_not_before, reason: row.consent_not_before_reason },
      { until: row.not_before, reason: row.not_before_reason },
    ].flatMap(({ until, reason }) => (until ? [{ until, reason: reason ?? 'the bank asked us to wait' }] : [])),
    used: row.used + alreadyGranted,
    allowed: row.frequency_per_day,
    nextBudgetAt: row.window_end ?? new Date((row.limiting_read_at ?? row.now).getTime() + 24 * 60 * 60 * 1000),
  };
}

function groupAccounts(rows: readonly WaitingRow[]): Map<string, WaitingAccount[]> {
  const bySubject = new Map<string, Map<string, WaitingAccount>>();
  for (const row of rows) {
    const accounts = bySubject.get(row.subject_id) ?? new Map<string, WaitingAccount>();
    bySubject.set(row.subject_id, accounts);
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
  return new Map([...bySubject].map(([subjectId, accounts]) => [subjectId, [...accounts.values()]]));
}

async function insertLedger(tx: Queryable, claimed: readonly ClaimedSubject[]): Promise<void> {
  const calls = claimed.filter((subject) => !subject.denial);
  if (calls.length === 0) return;
  await tx.query(
    {
      name: 'sync-insert-ledger',
      text: `insert into access_ledger (subject_id, consent_id, purpose, request_id)
select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::uuid[])`,
    },
    [
      calls.map((c) => c.state.subjectId),
      calls.map((c) => c.state.consentRowId),
      calls.map((c) => (c.accounts.some((account) => account.runs.some((run) => run.slot)) ? 'schedule' : 'resync')),
      calls.map((c) => c.requestId),
    ],
  );
}

const EXTEND = {
  name: 'sync-extend-leases',
  text: `update access_subject u set lease_until = now() + make_interval(secs => $3::float8)
from unnest($1::bigint[], $2::bigint[]) as c(id, epoch) where u.id = c.id and u.epoch = c.epoch`,
};

/** Renews the leases of reads that are still under way; one that was taken over stays taken. */
export async function extendReadLeases(
  db: Queryable,
  subjects: readonly ClaimedSubject[],
  leaseSeconds: number,
): Promise<void> {
  if (subjects.length === 0) return;
  await db.query(EXTEND, [subjects.map((s) => s.state.subjectId), subjects.map((s) => s.state.epoch), leaseSeconds]);
}

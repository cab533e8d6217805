import type { Queryable } from '../shared/database';
import type { Denial, SubjectState } from './decide-read';

/** A place in a connection's queue of due accounts. */
export interface QueuePlace {
  /** Since 1970, as Postgres counts. */
  dueMicros: string;
  runId: string;
  accountId: string;
}

/** How many subjects of which connection may be claimed, and how its budget is counted. */
export interface ClaimQuota {
  connectionId: string;
  quota: number;
  /** Looks behind this place only. */
  after?: QueuePlace;
  accessScope: 'account' | 'consent';
  accessWindow: 'rolling-24h' | 'calendar-day';
  timeZone: string | undefined;
  /** Set where the connection cannot or must not be used now: its reads end with this, without a call. */
  denied?: Pick<Denial, 'outcome' | 'reason'>;
}

/**
 * The reads are counted in two branches instead of by a CASE, so that each finds its own index. A subject is looked up by
 * its id behind a fence: as a plain join, and without statistics, it becomes a scan of every subject of the consent.
 */
const LOAD_SUBJECTS = {
  name: 'sync-load-subjects',
  text: `
select u.id, u.epoch, u.bank_code, u.provider_account_id, u.not_before, u.not_before_reason,
  c.id as consent_row_id, c.consent_id, c.status as consent_status, c.stopped_outcome, c.stopped_reason, c.valid_until,
  c.access_token, c.frequency_per_day, c.not_before as consent_not_before, c.not_before_reason as consent_not_before_reason,
  k.id as connection_id, k.status as connection_status, k.pause_reason, k.not_before as connection_not_before,
  k.not_before_reason as connection_not_before_reason, now() as now, w.window_end, b.used,
  case when b.used + (case when q.by_consent then cardinality($1::bigint[]) else 1 end) > c.frequency_per_day then b.limiting_reads end as limiting_reads,
  greatest(1, c.frequency_per_day - cardinality($1::bigint[]) + 1) as limiting_from
from unnest($1::bigint[]) as x(id)
cross join lateral (select * from access_subject where id = x.id offset 0) u
cross join lateral (select * from consent where id = u.consent_id offset 0) c
cross join lateral (select * from connection where id = c.connection_id offset 0) k
join unnest($2::bigint[], $3::boolean[], $4::text[]) as q(connection_id, by_consent, day_zone) on q.connection_id = k.id
cross join lateral (
  select case when q.day_zone is null then now() - interval '24 hours' else date_trunc('day', now(), q.day_zone) end as window_start,
         case when q.day_zone is not null then date_trunc('day', now() at time zone q.day_zone) + interval '1 day' end at time zone coalesce(q.day_zone, 'UTC') as window_end
) w
cross join lateral (
  select count(*)::int as used,
    (array_agg(l.read_at order by l.read_at desc))[greatest(1, c.frequency_per_day - cardinality($1::bigint[]) + 1) : c.frequency_per_day] as limiting_reads
  from (
    select read_at from access_ledger where not q.by_consent and subject_id = u.id and read_at > w.window_start
    union all
    select read_at from access_ledger where q.by_consent and consent_id = c.id and read_at > w.window_start
  ) l
) b
order by u.id`,
};

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
  window_end: Date | null;
  used: number;
  /** The reads that have to leave the window before it has room, the latest first; the first is number `limiting_from`. Null while there is room. */
  limiting_reads: Date[] | null;
  limiting_from: number;
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
    nextBudgetAt: row.window_end ?? new Date(limitingRead(row, alreadyGranted).getTime() + DAY_MS),
    repeatOf: undefined,
  };
}

/** The read whose age makes room: of the latest `frequency_per_day` ones, those of this moment included, the oldest. */
function limitingRead(row: SubjectRow, alreadyGranted: number): Date {
  return row.limiting_reads?.[row.frequency_per_day - alreadyGranted - row.limiting_from] ?? row.now;
}

const DAY_MS = 24 * 60 * 60 * 1000;

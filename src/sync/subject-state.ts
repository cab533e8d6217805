import { inWindow, withWindow } from '../consents/read-window';
import type { Queryable } from '../shared/database';
import { unseen } from '../shared/looked-up';
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
  /** Where the bank suspends us after failures in a row: how many of them it is let see, all replicas together. */
  failuresBorne?: number;
  /** Set where the connection cannot or must not be used now: its reads end with this, without a call. */
  denied?: Pick<Denial, 'outcome' | 'reason'>;
}

/** `SubjectState.consentVersion`, as SQL over a consent's row: whoever changes the row sets this time anew; the bank's waits are not such a change. */
export const consentVersion = (row: string): string => `${row}.updated_at::text`;

/**
 * What is the subject's own; its consent and connection, which thousands share, come by a statement of their own. The reads are
 * counted in two branches instead of by a CASE, so that those of one subject are looked up as such. A subject is looked up by
 * its id behind a fence: as a plain join, and without statistics, it becomes a scan of every subject of the consent.
 */
const LOAD_SUBJECTS = {
  name: 'sync-load-subjects',
  text: `
with asked as materialized (
  ${withWindow(`unnest(${unseen('$2::bigint[]')}, $3::boolean[], $4::text[]) as a(connection_id, by_consent, day_zone)`)}
)
select u.id, u.epoch, u.bank_code, u.provider_account_id, u.not_before, u.not_before_reason, u.consent_id, b.used,
  case when b.used + (case when q.by_consent then cardinality($1::bigint[]) else 1 end) > c.frequency_per_day then b.limiting_reads end as limiting_reads
from unnest(${unseen('$1::bigint[]')}) as x(id)
cross join lateral (select * from access_subject where id = x.id offset 0) u
cross join lateral (select connection_id, frequency_per_day from consent where id = u.consent_id offset 0) c
join asked q on q.connection_id = c.connection_id
cross join lateral (
  select count(*)::int as used,
    (array_agg(l.read_at order by l.read_at desc))[greatest(1, c.frequency_per_day - cardinality($1::bigint[]) + 1) : c.frequency_per_day] as limiting_reads
  from (
    select r.read_at from access_ledger r where not q.by_consent and ${inWindow('r', 'u.consent_id')} and r.subject_id = u.id
    union all
    select r.read_at from access_ledger r where q.by_consent and ${inWindow('r', 'u.consent_id')}
  ) l
) b
order by u.id`,
};

const LOAD_CONSENTS = {
  name: 'sync-load-consents',
  text: `
select c.id as consent_row_id, c.consent_id, ${consentVersion('c')} as consent_version, c.status as consent_status, c.stopped_outcome, c.stopped_reason, c.valid_until, c.access_token,
  c.frequency_per_day, c.not_before as consent_not_before, c.not_before_reason as consent_not_before_reason,
  k.id as connection_id, k.status as connection_status, k.pause_reason, k.not_before as connection_not_before,
  k.not_before_reason as connection_not_before_reason, now() as now,
  (date_trunc('day', now() at time zone q.day_zone) + interval '1 day') at time zone q.day_zone as window_end
from unnest(${unseen('$1::bigint[]')}) as x(id)
cross join lateral (select * from consent where id = x.id offset 0) c
cross join lateral (select * from connection where id = c.connection_id offset 0) k
join unnest(${unseen('$2::bigint[]')}, $3::text[]) as q(connection_id, day_zone) on q.connection_id = k.id`,
};

interface SubjectRow {
  id: string;
  epoch: string;
  bank_code: string;
  provider_account_id: string;
  not_before: Date | null;
  not_before_reason: string | null;
  consent_id: string;
  used: number;
  /** The reads that have to leave the window before it has room, the latest first. Null while there is room. */
  limiting_reads: Date[] | null;
}

interface ConsentRow {
  consent_row_id: string;
  consent_id: string;
  consent_version: string;
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
  /** Null where the window is not a calendar day. */
  window_end: Date | null;
}

/** What all subjects of a consent have in common at a claim: made once, for there may be hundreds of them. */
type Shared = Pick<
  SubjectState,
  | 'consentRowId'
  | 'consentId'
  | 'consentVersion'
  | 'sealedAccessToken'
  | 'connectionId'
  | 'now'
  | 'connection'
  | 'consent'
  | 'waits'
  | 'allowed'
>;

/** A subject with the consent and the connection that it is read under. */
export interface LoadedSubject {
  subject: SubjectRow;
  consent: Shared;
  /** Undefined where the window is not a calendar day. */
  windowEnd: Date | undefined;
  /** The number that the first of `limiting_reads` has among the reads of the window, the latest being 1. */
  limitingFrom: number;
}

/** Also used for a live preview, which is counted like any other read. */
export async function loadSubjects(
  tx: Queryable,
  ids: readonly string[],
  quotas: readonly ClaimQuota[],
): Promise<LoadedSubject[]> {
  const connectionIds = quotas.map((q) => q.connectionId);
  const dayZones = quotas.map((q) => (q.accessWindow === 'calendar-day' ? (q.timeZone ?? 'UTC') : null));
  const byConsent = quotas.map((q) => q.accessScope === 'consent');
  const subjects = await tx.query<SubjectRow>(LOAD_SUBJECTS, [ids, connectionIds, byConsent, dayZones]);
  const consentIds = [...new Set(subjects.map((subject) => subject.consent_id))];
  const rows = await tx.query<ConsentRow>(LOAD_CONSENTS, [consentIds, connectionIds, dayZones]);
  const consents = new Map(
    rows.map((row) => [
      row.consent_row_id,
      {
        consent: toShared(row),
        windowEnd: row.window_end ?? undefined,
        limitingFrom: Math.max(1, row.frequency_per_day - ids.length + 1),
      },
    ]),
  );
  return subjects.flatMap((subject) => {
    const loaded = consents.get(subject.consent_id);
    return loaded ? [{ subject, ...loaded }] : [];
  });
}

function toShared(row: ConsentRow): Shared {
  return {
    consentRowId: row.consent_row_id,
    consentId: row.consent_id,
    consentVersion: row.consent_version,
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
      ...wait(row.connection_not_before, row.connection_not_before_reason),
      ...wait(row.consent_not_before, row.consent_not_before_reason),
    ],
    allowed: row.frequency_per_day,
  };
}

function wait(until: Date | null, reason: string | null): SubjectState['waits'] {
  return until ? [{ until, reason: reason ?? 'the bank asked us to wait' }] : [];
}

/** What a claim knows of a subject beside what is loaded. */
export interface AtTheClaim {
  /** Calls granted in this very transaction, which the ledger does not show yet. */
  alreadyGranted: number;
  repeatOf: SubjectState['repeatOf'];
}

export function toState(loaded: LoadedSubject, { alreadyGranted, repeatOf }: AtTheClaim): SubjectState {
  const { subject, consent, windowEnd } = loaded;
  const ownWait = wait(subject.not_before, subject.not_before_reason);
  return {
    ...consent,
    subjectId: subject.id,
    epoch: subject.epoch,
    bankCode: subject.bank_code,
    providerAccountId: subject.provider_account_id,
    waits: ownWait.length > 0 ? [...consent.waits, ...ownWait] : consent.waits,
    used: subject.used + alreadyGranted,
    nextBudgetAt: windowEnd ?? new Date(limitingRead(loaded, alreadyGranted).getTime() + DAY_MS),
    repeatOf,
  };
}

/** The read whose age makes room: of the latest that the consent allows, those of this moment included, the oldest. */
function limitingRead({ subject, consent, limitingFrom }: LoadedSubject, alreadyGranted: number): Date {
  return subject.limiting_reads?.[consent.allowed - alreadyGranted - limitingFrom] ?? consent.now;
}

const DAY_MS = 24 * 60 * 60 * 1000;

import { randomUUID } from 'node:crypto';
import { isRead } from '../consents/read-window';
import type { Database, Queryable } from '../shared/database';
import { lookedUp, unseen } from '../shared/looked-up';
import { decideRead, type Denial, type SubjectState } from './decide-read';
import { withinFailureRoom } from './failure-room';
import { loadSubjects, toState, type ClaimQuota, type LoadedSubject, type QueuePlace } from './subject-state';
import { findWaiting, followMoved, type Waiting, type WaitingAccount } from './waiting-accounts';

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
  /** A token was refused and renewed within the runs that wait. */
  tokenRenewed: boolean;
  /** Database clock when the claim was made. */
  claimedAt: Date;
}

const CLAIM = {
  name: 'sync-claim-subjects',
  text: `
with wanted as (
  select *, timestamptz 'epoch' + after_micros * interval '1 microsecond' as after_due
  from unnest(${unseen('$1::bigint[]')}, $2::integer[], $5::bigint[], $6::bigint[], $7::bigint[])
    as w(connection_id, quota, after_micros, after_run, after_account)
), picked as materialized (
  select p.id, w.connection_id, p.due_at, p.run_id, p.account_id from wanted w cross join lateral (
    select u.id, s.due_at, s.run_id, s.account_id from waiting_account s join access_subject u on ${lookedUp('u.id', 's.subject_id')}
    where s.connection_id = w.connection_id and s.connection_id > 0 and s.due_at <= now()
      and (s.due_at, s.run_id, s.account_id) > (w.after_due, w.after_run, w.after_account)
      and (u.lease_until is null or u.lease_until < now())
    order by s.due_at, s.run_id, s.account_id
    limit w.quota
    for update of u skip locked
  ) p
), claimed as (
  update access_subject u
  set epoch = u.epoch + 1, claimed_by = $3, lease_until = now() + make_interval(secs => $4::float8)
  from (select distinct on (id) * from picked order by id, due_at desc, run_id desc, account_id desc) p
  where ${lookedUp('u.id', 'p.id')}
  returning u.id, p.connection_id, array[(extract(epoch from p.due_at) * 1000000)::bigint, p.run_id, p.account_id] as place
)
select connection_id, string_agg(id::text, ',') as ids, max(place) as reached from claimed group by connection_id`,
};

/** What was claimed of one connection. */
interface ClaimRow {
  connection_id: string;
  /** The subjects, joined with commas. */
  ids: string;
  reached: [dueMicros: string, runId: string, accountId: string];
}

/** What was claimed, and for each connection the last place in its queue that the claim came to. */
export interface ReadClaims {
  subjects: ClaimedSubject[];
  reached: ReadonlyMap<string, QueuePlace>;
}

const START: QueuePlace = { dueMicros: '0', runId: '0', accountId: '0' };

export interface ReadClaim {
  quotas: readonly ClaimQuota[];
  replica: string;
  leaseSeconds: number;
}

/**
 * Claims due subjects and commits, in one transaction: the lease, the decision whether a call may be made, and the
 * ledger row of every call that will be made. The subject's row (and the consent's, where the budget is the consent's)
 * is locked before its reads are counted, so that no two replicas can both take the last one. Where a quota names a place,
 * the search goes on behind it: the entries of finished accounts stay in the index until the next vacuum.
 */
export async function claimReads(database: Database, claim: ReadClaim): Promise<ReadClaims> {
  if (claim.quotas.length === 0) return { subjects: [], reached: new Map() };
  return database.transaction(async (tx) => {
    const quotas = await withinFailureRoom(tx, claim.quotas);
    const starts = quotas.map(({ after = START }) => after);
    const rows = await tx.query<ClaimRow>(CLAIM, [
      quotas.map((q) => q.connectionId),
      quotas.map((q) => q.quota),
      claim.replica,
      claim.leaseSeconds,
      starts.map(({ dueMicros }) => dueMicros),
      starts.map(({ runId }) => runId),
      starts.map(({ accountId }) => accountId),
    ]);
    const ids = rows.flatMap((row) => row.ids.split(','));
    const reached = new Map(
      rows.map(({ connection_id: connectionId, reached: place }) => [connectionId, toPlace(place)]),
    );
    if (ids.length === 0) return { subjects: [], reached };
    if (quotas.some((q) => q.accessScope === 'consent')) await lockConsents(tx, ids);
    const subjects = await loadSubjects(tx, ids, quotas);
    const waiting = await findWaiting(tx, ids);
    const deserted = ids.filter((id) => !waiting.has(id));
    if (deserted.length > 0) await followMoved(tx, deserted);
    const claimed = assemble(subjects, waiting, quotas);
    await insertLedger(tx, claimed);
    return { subjects: claimed, reached };
  });
}

function toPlace([dueMicros, runId, accountId]: ClaimRow['reached']): QueuePlace {
  return { dueMicros, runId, accountId };
}

async function lockConsents(tx: Queryable, subjectIds: readonly string[]): Promise<void> {
  await tx.query(
    `select id from consent where id in (select consent_id from access_subject where id = any($1::bigint[])) order by id for no key update`,
    [subjectIds],
  );
}

function assemble(
  subjects: readonly LoadedSubject[],
  waiting: ReadonlyMap<string, Waiting>,
  quotas: readonly ClaimQuota[],
): ClaimedSubject[] {
  const byConsent = new Set(quotas.filter((q) => q.accessScope === 'consent').map((q) => q.connectionId));
  // Subjects of one consent that are claimed together share its budget: each call granted here counts for the next.
  const granted = new Map<string, number>();
  return subjects.map((loaded) => {
    const { subject, consent } = loaded;
    const key = byConsent.has(consent.connectionId) ? `consent ${consent.consentRowId}` : `subject ${subject.id}`;
    const { accounts, repeatOf, tokenRenewed } = waiting.get(subject.id) ?? NOBODY;
    const state = toState(loaded, { alreadyGranted: granted.get(key) ?? 0, repeatOf });
    const denied = quotas.find((quota) => quota.connectionId === consent.connectionId)?.denied;
    const denial = denied ?? decideRead(state, accounts);
    if (!denial) granted.set(key, (granted.get(key) ?? 0) + 1);
    const readsLeft = state.allowed - state.used - 1;
    return { state, accounts, denial, requestId: randomUUID(), readsLeft, tokenRenewed, claimedAt: state.now };
  });
}

/** Another replica was faster and has written the readings since this claim looked, or the accounts have moved. */
const NOBODY: Waiting = { accounts: [], repeatOf: undefined, tokenRenewed: false };

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
  // A claim that is ending has its row locked, and nobody else can take it meanwhile; one that has ended has no lease left.
  text: `
with mine as materialized (
  select u.id from unnest($1::bigint[], $2::bigint[]) as c(id, epoch) join access_subject u on ${lookedUp('u.id', 'c.id')}
  where u.epoch = c.epoch and u.claimed_by is not null
  for update of u skip locked
)
update access_subject u set lease_until = now() + make_interval(secs => $3::float8) from mine where ${lookedUp('u.id', 'mine.id')}`,
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

const GIVE_BACK = {
  name: 'sync-give-back-claims',
  text: `
with mine as (
  update access_subject u set claimed_by = null, lease_until = null
  from unnest($1::bigint[], $2::bigint[]) as c(id, epoch)
  where ${lookedUp('u.id', 'c.id')} and u.epoch = c.epoch and u.claimed_by is not null
  returning u.id
)
delete from access_ledger l using unnest($1::bigint[], $3::uuid[], $4::bigint[]) as x(subject_id, request_id, consent_id), mine
where mine.id = x.subject_id and ${isRead('l')}`,
};

/** Gives up claims whose calls were never made: due again at once, and the budget is as it was. */
export async function giveBackClaims(db: Queryable, subjects: readonly ClaimedSubject[]): Promise<void> {
  if (subjects.length === 0) return;
  await db.query(GIVE_BACK, [
    subjects.map((s) => s.state.subjectId),
    subjects.map((s) => s.state.epoch),
    subjects.map((s) => s.requestId),
    subjects.map((s) => s.state.consentRowId),
  ]);
}

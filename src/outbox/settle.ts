import type { Queryable } from '../shared/database';
import { jsonLines } from '../shared/json-lines';
import { lookedUp } from '../shared/looked-up';
import type { AttemptEnd, Verdict } from './attempt';
import type { ClaimedBatch } from './claim';
import type { ClaimedRecord } from './claimed-record';
import type { RecordState } from './record-state';
import {
  HOLD_ATTEMPTS,
  JUDGED,
  LOG_GIVEN,
  ONE_MORE_WHOLE_FAILURE,
  SETTLED_VALUES,
  STAYS_PENDING,
  settlementColumns,
  STILL_OURS,
} from './settlement-sql';

/** What becomes of one claimed record after one call. */
export interface Settlement {
  record: Pick<ClaimedRecord, 'id'>;
  state: Exclude<RecordState, 'sending'>;
  /** Why the record stands where it stands; mandatory for rejected, held and exhausted. */
  reason?: string | undefined;
  inDoubt: boolean;
  /** The verdict and words of this attempt, for the log. */
  verdict: Verdict;
  verdictReason?: string | undefined;
  errorCode?: string | undefined;
  errorDescription?: string | undefined;
  answer?: string | undefined;
  /** Wait before the next attempt; only for `pending`. Without one it goes back to its place by age. */
  delayMs?: number | undefined;
  /** The attempt is charged to the record. */
  chargesAttempt?: boolean;
  /** The call failed as a whole. */
  wholeFailure?: boolean;
  /** The part of a cut batch that the record goes on in; undefined = the ordinary pool. One that is settled leaves its part. */
  groupId?: string | undefined;
}

/** One call that came back, with what becomes of each of its records. */
export interface SettledCall {
  attemptId: string;
  settlements: readonly Settlement[];
  end: AttemptEnd;
}

/** Answers whose claim was lost: others had the record when they came. By `answerKey`, and nearly always none. */
export type LateAnswers = ReadonlySet<string>;

/** One record in one attempt. */
export function answerKey(attemptId: string, recordId: string): string {
  return `${attemptId} ${recordId}`;
}

/**
 * One statement: settle what is still ours (under way with this attempt), log every record's verdict (marked late where the claim
 * was lost), complete the attempt, and let the next record of each settled series go at once. Parking by time is the
 * truth behind that last step; releasing is only the short cut, and it leaves records alone that wait for a retry. A
 * successor that looks due is released too: a claim may be parking it at this very moment, and then this waits for it.
 *
 * What was simply accepted, which is nearly everything, comes as three lists instead of fourteen, and first: where an attempt was given
 * up while its answer waited to be settled, the answer counts. The limits take nothing away:
 * with them the planner expects a row or two and not ten. The plan that it makes for ten, while there are hardly any
 * records and attempts, reads all of them, and is kept when there are a million.
 */
const SETTLE = {
  name: 'outbox-settle',
  text: `
with given as materialized (
  select attempt_id, id, 'accepted' as state, null as reason, false as in_doubt, 'accepted' as verdict, null as verdict_reason, null as error_code,
    null as error_description, answer, null as delay_ms, 0 as charge, 0 as whole, null as batch_group
  from unnest($15::bigint[], $16::bigint[], string_to_array($17, E'\\n', '')) as p(attempt_id, id, answer)
  union all
  select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::float8[], $12::smallint[], $13::smallint[], $14::bigint[])
  limit $24
), ended as materialized (
  select * from unnest($18::bigint[], $19::text[], $20::smallint[], $21::text[], $22::integer[])
    as e(attempt_id, outcome, http_status, detail, latency_ms)
  limit $23
), ${HOLD_ATTEMPTS('$18::bigint[]', 'ended')}, settled as (
  update record_state r
  set ${SETTLED_VALUES}, batch_group = case when ${STAYS_PENDING} then g.batch_group end
  from given g
  where ${STILL_OURS} and g.attempt_id in (select h.id from held h)
  returning r.record_id as id, g.attempt_id, r.account_id, r.balance_type, r.state
), ${JUDGED}, logged as (
  ${LOG_GIVEN}
), completed as (
  update delivery_attempt a
  set finished_at = now(), lease_until = null, record_ids = null, outcome = e.outcome, http_status = e.http_status, detail = e.detail,
      latency_ms = e.latency_ms
  from ended e
  where ${lookedUp('a.id', 'e.attempt_id')} and a.finished_at is null
), released as (
  update record_state r set next_attempt_at = least(r.next_attempt_at, now())
  from settled s cross join lateral (
    select o.record_id from record_state o
    where o.account_id = s.account_id and o.balance_type = s.balance_type and o.settled_at is null and o.record_id <> s.id
    order by o.balance_at, o.revision
    limit 1
  ) successor
  where s.state <> 'pending' and ${lookedUp('r.record_id', 'successor.record_id')} and r.state = 'pending' and r.attempts = 0 and r.whole_failures = 0
)
select id, attempt_id from judged where late`,
};

/**
 * Settles the records of calls that came back and says which answers came too late: their records were taken over by another
 * worker, and the log has the answers as late. May be repeated where the answer of its commit was lost.
 */
export async function settleCalls(db: Queryable, calls: readonly SettledCall[]): Promise<LateAnswers> {
  const accepted: { attemptId: string; settlement: Settlement }[] = [];
  const others = calls.map((call) => ({
    ...call,
    settlements: call.settlements.filter((settlement) => {
      const plain = isPlainAcceptance(settlement);
      if (plain) accepted.push({ attemptId: call.attemptId, settlement });
      return !plain;
    }),
  }));
  const late = await db.query<{ id: string; attempt_id: string }>(SETTLE, [
    ...settlementColumns(others),
    others.flatMap(({ settlements }) => settlements.map(({ groupId }) => groupId ?? null)),
    accepted.map(({ attemptId }) => attemptId),
    accepted.map(({ settlement }) => settlement.record.id),
    jsonLines(accepted.map(({ settlement }) => settlement.answer ?? null)),
    calls.map(({ attemptId }) => attemptId),
    calls.map(({ end }) => end.outcome),
    calls.map(({ end }) => end.httpStatus ?? null),
    calls.map(({ end }) => end.detail ?? null),
    calls.map(({ end }) => end.latencyMs ?? null),
    calls.length,
    calls.reduce((sum, { settlements }) => sum + settlements.length, 0),
  ]);
  return new Set(late.map((row) => answerKey(row.attempt_id, row.id)));
}

/** AMLYZE accepted it and said nothing beside. */
function isPlainAcceptance({ state, reason, inDoubt, verdict, verdictReason, ...words }: Settlement): boolean {
  return (
    state === 'accepted' &&
    verdict === 'accepted' &&
    !inDoubt &&
    reason === undefined &&
    verdictReason === undefined &&
    words.errorCode === undefined &&
    words.errorDescription === undefined &&
    words.chargesAttempt !== true &&
    words.wholeFailure !== true &&
    words.groupId === undefined &&
    words.delayMs === undefined &&
    words.answer?.includes('\n') !== true
  );
}

const EXTEND = {
  name: 'outbox-extend-leases',
  text: `
with mine as materialized (
  select id from delivery_attempt where id = any($1::bigint[]) and lease_until > '-infinity' for update skip locked
)
update delivery_attempt a set lease_until = now() + make_interval(secs => $2::float8) from mine where ${lookedUp('a.id', 'mine.id')}`,
};

/**
 * Renews the leases of attempts whose calls are still under way, or still to be made. One that was taken over stays so, and one
 * that is being settled is passed over: waiting for it with others in hand could end in a deadlock.
 */
export async function extendLeases(db: Queryable, attemptIds: readonly string[], leaseSeconds: number): Promise<void> {
  if (attemptIds.length === 0) return;
  await db.query(EXTEND, [attemptIds, leaseSeconds]);
}

/**
 * Takes back attempts whose lease ran out (their worker died or hangs), with all their records. The missing results are appended in
 * the same statement: what may have been sent is in doubt, and the log says so. The records go back to their places, and
 * whoever claims them next has another attempt, which shuts the old worker out.
 */
const TAKE_BACK = {
  name: 'outbox-take-back',
  text: `
with expired as materialized (
  select id, record_ids from delivery_attempt where lease_until < now() order by lease_until limit $1 for update skip locked
), back as (
  update record_state r set state = 'pending', attempt_id = null, whole_failures = ${ONE_MORE_WHOLE_FAILURE}
  from expired e cross join lateral unnest(e.record_ids) as lost(record_id)
  where ${lookedUp('r.record_id', 'lost.record_id')} and r.attempt_id = e.id
  returning r.record_id, e.id as attempt_id
), logged as (
  insert into delivery_result (record_id, attempt_id, verdict, reason) select record_id, attempt_id, 'in-doubt', 'lease-expired' from back
  on conflict do nothing
), completed as (
  update delivery_attempt a
  set finished_at = now(), lease_until = null, record_ids = null, outcome = 'lost', detail = 'the lease ran out before an answer was settled'
  from expired e where ${lookedUp('a.id', 'e.id')}
)
select (select count(*)::int from expired) as attempts, (select count(*)::int from back) as records`,
};

/** How many attempts were taken back, and how many records with them; call again while the attempts equal `limit`. */
export async function takeBackExpired(db: Queryable, limit = 50): Promise<{ attempts: number; records: number }> {
  const [taken] = await db.query<{ attempts: number; records: number }>(TAKE_BACK, [limit]);
  return taken ?? { attempts: 0, records: 0 };
}

const CUT = {
  name: 'outbox-cut-in-two',
  text: `
with root as (
  insert into delivery_group (id, root_id, depth, cause)
  select n, n, 0, $3 from (select nextval(pg_get_serial_sequence('delivery_group', 'id')) as n) s where $1::bigint is null
  returning id
)
insert into delivery_group (root_id, depth, cause)
select coalesce($1::bigint, (select id from root)), $2, $3 from generate_series(1, 2)
returning id`,
};

/** Makes the two groups that a failed batch goes on as; `parent` is the group it was, if it was one. */
export async function cutInTwo(
  db: Queryable,
  parent: ClaimedBatch['group'],
  cause: 'bad-request' | 'whole-failure',
): Promise<[string, string]> {
  const rows = await db.query<{ id: string }>(CUT, [parent?.rootId ?? null, (parent?.depth ?? 0) + 1, cause]);
  const [first, second] = rows;
  if (!first || !second) throw new Error('delivery_group returned fewer rows than it was given');
  return [first.id, second.id];
}

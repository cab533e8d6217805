import type { Queryable } from '../shared/database';
import { lookedUp } from '../shared/looked-up';
import type { ClaimedRecord, ClaimedBatch } from './claim';
import type { RecordState } from './record-state';
import { BEING_SENT, LOG_GIVEN, SETTLED_VALUES, settlementColumns, STILL_OURS, WAITING } from './settlement-sql';

/** What becomes of one claimed record after one call. */
export interface Settlement {
  record: Pick<ClaimedRecord, 'id' | 'epoch'>;
  state: Exclude<RecordState, 'sending'>;
  /** Why the record stands where it stands; mandatory for rejected, held and exhausted. */
  reason?: string | undefined;
  inDoubt: boolean;
  /** The verdict and words of this attempt, for the log. */
  verdict: string;
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

/** How the call itself ended, written once to its attempt row. */
export interface AttemptEnd {
  outcome: string;
  httpStatus?: number | undefined;
  detail?: string | undefined;
  latencyMs?: number | undefined;
}

/** One call that came back, with what becomes of each of its records. */
export interface SettledCall {
  attemptId: string;
  settlements: readonly Settlement[];
  end: AttemptEnd;
}

/**
 * One statement: settle what is still ours (id, epoch, state), log every record's verdict (marked late where the claim
 * was lost), complete the attempt, and let the next record of each settled series go at once. Parking by time is the
 * truth behind that last step; releasing is only the short cut, and it leaves records alone that wait for a retry. A
 * successor that looks due is released too: a claim may be parking it at this very moment, and then this waits for it.
 *
 * The limits take nothing away: with them the planner expects one row and not ten. The plan that it makes for ten, while there
 * are hardly any records and attempts, reads all of them, and is kept when there are a million.
 */
const SETTLE = {
  name: 'outbox-settle',
  text: `
with given as materialized (
  select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::boolean[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::float8[], $13::smallint[], $14::smallint[], $15::bigint[])
  as g(attempt_id, id, epoch, state, reason, in_doubt, verdict, verdict_reason, error_code, error_description, answer, delay_ms, charge, whole, batch_group)
  limit $22
), settled as (
  update amlyze_record r
  set ${SETTLED_VALUES}, batch_group = case when g.state = 'pending' then g.batch_group end
  from given g
  where ${STILL_OURS}
  returning r.id, g.attempt_id, r.account_id, r.balance_type, r.state
), logged as (
  ${LOG_GIVEN}
), completed as (
  update delivery_attempt a
  set finished_at = now(), outcome = e.outcome, http_status = e.http_status, detail = e.detail, latency_ms = e.latency_ms
  from (
    select * from unnest($16::bigint[], $17::text[], $18::smallint[], $19::text[], $20::integer[])
      as e(attempt_id, outcome, http_status, detail, latency_ms)
    limit $21
  ) e
  where ${lookedUp('a.id', 'e.attempt_id')} and a.finished_at is null
), released as (
  update amlyze_record r set next_attempt_at = least(r.next_attempt_at, now())
  from settled s cross join lateral (
    select o.id from amlyze_record o
    where o.account_id = s.account_id and o.balance_type = s.balance_type and o.settled_at is null and o.id <> s.id
    order by o.balance_at, o.revision
    limit 1
  ) successor
  where s.state <> 'pending' and ${lookedUp('r.id', 'successor.id')} and ${WAITING} and r.attempts = 0 and r.whole_failures = 0
)
select id from settled`,
};

/** `settleCalls` for one call. */
export async function settle(
  db: Queryable,
  attemptId: string,
  settlements: readonly Settlement[],
  end: AttemptEnd,
): Promise<Set<string>> {
  return settleCalls(db, [{ attemptId, settlements, end }]);
}

/**
 * Settles the records of calls that came back and returns the ids that were still held under their claim; a record that
 * is not among them was taken over by another worker, and its answer stands in the log as late.
 */
export async function settleCalls(db: Queryable, calls: readonly SettledCall[]): Promise<Set<string>> {
  const held = await db.query<{ id: string }>(SETTLE, [
    ...settlementColumns(calls),
    calls.flatMap(({ settlements }) => settlements.map(({ groupId }) => groupId ?? null)),
    calls.map(({ attemptId }) => attemptId),
    calls.map(({ end }) => end.outcome),
    calls.map(({ end }) => end.httpStatus ?? null),
    calls.map(({ end }) => end.detail ?? null),
    calls.map(({ end }) => end.latencyMs ?? null),
    calls.length,
    calls.reduce((sum, { settlements }) => sum + settlements.length, 0),
  ]);
  return new Set(held.map((row) => row.id));
}

const EXTEND = {
  name: 'outbox-extend-lease',
  text: `
with held as materialized (
  select r.id from amlyze_record r where r.id = any($1::bigint[]) and r.attempt_id = $2 and ${BEING_SENT} for update skip locked
)
update amlyze_record r set lease_until = now() + make_interval(secs => $3::float8) from held where ${lookedUp('r.id', 'held.id')}`,
};

/**
 * Renews the lease of a batch whose call is still under way. A record that was taken over stays taken, and one that is
 * being settled is passed over: waiting for it with others in hand could end in a deadlock.
 */
export async function extendLease(db: Queryable, batch: ClaimedBatch, leaseSeconds: number): Promise<void> {
  await db.query(EXTEND, [batch.records.map((record) => record.id), batch.attemptId, leaseSeconds]);
}

/**
 * Takes back records whose lease ran out (their worker died or hangs). The missing results are appended in the same
 * statement: what may have been sent is in doubt, and the log says so. The higher epoch shuts the old worker out.
 */
const TAKE_BACK = {
  name: 'outbox-take-back',
  text: `
with expired as materialized (
  select id, attempt_id from amlyze_record where lease_until < now()
  order by lease_until limit $1 for update skip locked
), logged as (
  insert into delivery_result (record_id, attempt_id, verdict, reason)
  select id, attempt_id, 'in-doubt', 'lease-expired' from expired where attempt_id is not null
  on conflict do nothing
), completed as (
  update delivery_attempt a set finished_at = now(), outcome = 'lost', detail = 'the lease ran out before an answer was settled'
  from (select distinct attempt_id from expired) e where ${lookedUp('a.id', 'e.attempt_id')} and a.finished_at is null
)
update amlyze_record r
set state = 'pending', lease_until = null, attempt_id = null, next_attempt_at = now(), epoch = r.epoch + 1,
    whole_failures = r.whole_failures + case when e.attempt_id is null then 0 else 1 end
from expired e where ${lookedUp('r.id', 'e.id')}
returning r.id`,
};

/** Returns how many records were taken back; call again while it equals `limit`. */
export async function takeBackExpired(db: Queryable, limit = 2_000): Promise<number> {
  return (await db.query(TAKE_BACK, [limit])).length;
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

import type { Queryable } from '../shared/database';
import { lookedUp } from '../shared/looked-up';
import { VERDICTS_BEFORE, toClaimedRecord, type ClaimedRecord, type ClaimedRow } from './claimed-record';
import type { RecordChannel } from './record-state';

/** Records of one attempt. Every later write names the attempt, the fence: who claims a record next has another. */
export interface ClaimedBatch {
  attemptId: string;
  /** Set when the batch is a part of one that was cut in two. */
  group: { id: string; rootId: string; depth: number; rootCreatedAt: Date } | undefined;
  records: ClaimedRecord[];
}

export interface ClaimRequest {
  channel: RecordChannel;
  endpoint: string;
  replica: string;
  limit: number;
  leaseSeconds: number;
  /** Records that a probe leaves out, and with them the groups that they are in. */
  exceptIds?: readonly string[];
}

/** `id` is null in the one row that tells of a claim that found blocked records only. */
interface ClaimRow extends Omit<ClaimedRow, 'id'> {
  id: string | null;
  /** Blocked records that this claim put off. */
  parked: number;
  attempt_id: string;
}

/** Looks at no more than this many windows of blocked records in one go; the next poll goes on from there. */
const MAX_WINDOWS = 31;
/** Windows after the first, which showed blocked records only, are this many batches wide. */
const WIDE_WINDOW = 2;

/**
 * The part that both claims share. A candidate goes out only as the oldest unsettled record of its series (account and
 * balance type); the others are parked until their blocker can be over. The series probe is a LIMIT 1 sub-select on a
 * partial index, which the planner cannot flatten: its cost does not depend on how many rows wait behind. The attempt
 * row and the doubt are committed with the claim, so that no send is ever without a trace.
 */
const CLAIM_TAIL = `
, headed as materialized (
  select c.id, c.next_attempt_at, c.in_doubt, h.id as head_id, h.next_attempt_at as head_due, h.attempt_id as head_attempt
  from candidate c
  left join lateral (
    select o.record_id as id, o.next_attempt_at, o.attempt_id from record_state o
    where o.account_id = c.account_id and o.balance_type = c.balance_type and o.settled_at is null
    order by o.balance_at, o.revision
    limit 1
  ) h on true
), ready as materialized (
  select id, in_doubt from headed where head_id is null or head_id = id order by next_attempt_at, id limit $2
), parked as (
  update record_state r
  set next_attempt_at = greatest(h.head_due, now() + make_interval(secs => case when exists (select 1 from ready where ready.id = h.head_id) then $3::float8 else 1 end),
    (select a.lease_until from delivery_attempt a where ${lookedUp('a.id', 'h.head_attempt')}))
  from headed h where ${lookedUp('r.record_id', 'h.id')} and h.head_id <> h.id
  returning 1
), attempt as (
  insert into delivery_attempt (endpoint, records, replica, lease_until, record_ids)
  select $4, count(*), $5, now() + make_interval(secs => $3::float8), array_agg(id) from ready having count(*) > 0
  returning id
), claimed as (
  update record_state r set state = 'sending', attempt_id = attempt.id, in_doubt = true, claims = r.claims + 1
  from ready, attempt
  where ${lookedUp('r.record_id', 'ready.id')}
  returning r.record_id as id, r.attempt_id, ready.in_doubt as was_in_doubt, r.claims, r.attempts, r.whole_failures
)
select c.id, c.attempt_id, m.communication_number, m.account_ext_id, m.operation_ext_id, m.business_unit, m.payload, m.sealed, c.was_in_doubt,
  ${VERDICTS_BEFORE},
  c.attempts, c.whole_failures, p.parked
from (select count(*)::int as parked from parked) p
left join (claimed c join amlyze_record m on ${lookedUp('m.id', 'c.id')}) on true`;

const CLAIM_DUE = {
  name: 'outbox-claim-due',
  text: `
with candidate as materialized (
  select record_id as id, account_id, balance_type, next_attempt_at, in_doubt from record_state
  where channel = $1 and next_attempt_at <= now() and state = 'pending' and batch_group is null and not (record_id = any($6::bigint[]))
  order by next_attempt_at, record_id
  limit $7
  for update skip locked
)${CLAIM_TAIL}`,
};

// The group's row is locked first: two scans that skip each other's records would tear the group apart. Members are
// looked up by their group and nothing else: with another condition beside it, and without statistics, the planner
// takes the index of all due records instead.
const CLAIM_GROUP = {
  name: 'outbox-claim-group',
  text: `
with mine as materialized (
  select id from delivery_group where id = $6 for update skip locked
), member as materialized (
  select record_id as id, account_id, balance_type, channel, state, next_attempt_at, in_doubt from record_state
  where batch_group = (select id from mine)
  for update skip locked
), candidate as materialized (
  select id, account_id, balance_type, next_attempt_at, in_doubt from member
  where channel = $1 and state = 'pending' and next_attempt_at <= now()
  order by next_attempt_at, id
)${CLAIM_TAIL}`,
};

/**
 * Groups with due members, oldest first. Every claim asks this and the answer is nearly always none, so it walks from
 * group to group on their own small index and never comes near the other records.
 */
const DUE_GROUP = {
  name: 'outbox-due-group',
  text: `
with recursive open_group as (
  (select batch_group as id from record_state where batch_group is not null order by batch_group limit 1)
  union all
  select (select r.batch_group from record_state r where r.batch_group > o.id order by r.batch_group limit 1)
  from open_group o where o.id is not null
)
select g.id, g.root_id, g.depth, root.created_at as root_created_at, due.records
from open_group o join delivery_group g on ${lookedUp('g.id', 'o.id')} join delivery_group root on ${lookedUp('root.id', 'g.root_id')} cross join lateral (
  select count(*)::int as records, bool_or(m.record_id = any($2::bigint[])) as excepted
  from (select r.record_id, r.channel, r.state, r.next_attempt_at from record_state r where r.batch_group = o.id offset 0) m
  where m.channel = $1 and m.state = 'pending' and m.next_attempt_at <= now()
) due
where due.records > 0 and not due.excepted
order by o.id limit 8`,
};

/**
 * Claims up to `limit` due records, oldest due first; undefined when nothing may be sent now. Blocked records in front
 * of a free one are put off window by window instead of at one window a poll. The first window is no wider than the
 * batch, because a claim locks its window, and claimers beside it would find a short backlog locked and go to sleep.
 */
export async function claimDue(db: Queryable, request: ClaimRequest): Promise<ClaimedBatch | undefined> {
  const { channel, limit, leaseSeconds, endpoint, replica, exceptIds = [] } = request;
  for (let window = 0; window < MAX_WINDOWS; window += 1) {
    const width = window === 0 ? limit : limit * WIDE_WINDOW;
    const rows = await db.query<ClaimRow>(CLAIM_DUE, [
      channel,
      limit,
      leaseSeconds,
      endpoint,
      replica,
      exceptIds,
      width,
    ]);
    const batch = toBatch(rows, undefined);
    if (batch || rows[0]?.parked === 0) return batch;
  }
  return undefined;
}

/** Claims one part of a batch that was cut in two, whole; parts go before fresh records because a verdict waits on them. */
export async function claimGroup(db: Queryable, request: ClaimRequest): Promise<ClaimedBatch | undefined> {
  const { channel, leaseSeconds, endpoint, replica, exceptIds = [] } = request;
  const groups = await db.query<{ id: string; root_id: string; depth: number; root_created_at: Date; records: number }>(
    DUE_GROUP,
    [channel, exceptIds],
  );
  for (const group of groups) {
    const values = [channel, group.records, leaseSeconds, endpoint, replica, group.id];
    const batch = toBatch(await db.query<ClaimRow>(CLAIM_GROUP, values), {
      id: group.id,
      rootId: group.root_id,
      depth: group.depth,
      rootCreatedAt: group.root_created_at,
    });
    if (batch) return batch;
  }
  return undefined;
}

function toBatch(rows: readonly ClaimRow[], group: ClaimedBatch['group']): ClaimedBatch | undefined {
  const claimed = rows.filter((row): row is ClaimRow & { id: string } => row.id !== null);
  const [first] = claimed;
  if (!first) return undefined;
  return { attemptId: first.attempt_id, group, records: claimed.map(toClaimedRecord) };
}

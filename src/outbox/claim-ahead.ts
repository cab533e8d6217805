import type { Queryable } from '../shared/database';
import type { ClaimedRecord } from './claim';
import type { RecordChannel } from './record-state';

interface AheadRow {
  id: string;
  epoch: string;
  communication_number: string;
  operation_ext_id: string | null;
  business_unit: string | null;
  payload: string;
  sealed: boolean;
  in_doubt: boolean;
  rejected_before: boolean;
  attempts: number;
  whole_failures: number;
}

/**
 * Claims records that go out one by one, a few calls ahead of need, so that no call waits for a claim. There is no
 * attempt yet and therefore no new doubt: a replica that dies now leaves records that were certainly not sent. Records of
 * this channel belong to no series, so none can block another.
 */
const CLAIM_AHEAD = {
  name: 'outbox-claim-ahead',
  text: `
with candidate as materialized (
  select id from amlyze_record
  where channel = $1 and state = 'pending' and next_attempt_at <= now() and not (id = any($4::bigint[]))
  order by next_attempt_at, id
  limit $2
  for update skip locked
)
update amlyze_record r
set state = 'sending', epoch = r.epoch + 1, lease_until = now() + make_interval(secs => $3::float8), next_attempt_at = null
from candidate c
where r.id = c.id
returning r.id, r.epoch, r.communication_number, r.operation_ext_id, r.business_unit, r.payload, r.sealed, r.in_doubt,
  r.epoch > 1 and exists (select 1 from delivery_result d where d.record_id = r.id and d.verdict = 'rejected') as rejected_before,
  r.attempts, r.whole_failures`,
};

export async function claimAhead(
  db: Queryable,
  request: { channel: RecordChannel; limit: number; leaseSeconds: number; exceptIds: readonly string[] },
): Promise<ClaimedRecord[]> {
  const { channel, limit, leaseSeconds, exceptIds } = request;
  const rows = await db.query<AheadRow>(CLAIM_AHEAD, [channel, limit, leaseSeconds, exceptIds]);
  return rows.map((row) => ({
    id: row.id,
    epoch: row.epoch,
    communicationNumber: row.communication_number,
    accountExtId: undefined,
    operationExtId: row.operation_ext_id ?? undefined,
    businessUnit: row.business_unit ?? undefined,
    payload: row.payload,
    sealed: row.sealed,
    inDoubtBefore: row.in_doubt,
    rejectedBefore: row.rejected_before,
    attempts: row.attempts,
    wholeFailures: row.whole_failures,
  }));
}

const START = {
  name: 'outbox-start-attempts',
  text: `
with given as materialized (
  select g.id, g.epoch, nextval(pg_get_serial_sequence('delivery_attempt', 'id')) as attempt_id
  from unnest($1::bigint[], $2::bigint[]) as g(id, epoch)
), started as (
  update amlyze_record r
  set attempt_id = g.attempt_id, in_doubt = true, lease_until = now() + make_interval(secs => $5::float8)
  from given g
  where r.id = g.id and r.epoch = g.epoch and r.state = 'sending' and r.attempt_id is null
  returning r.id, r.attempt_id
), logged as (
  insert into delivery_attempt (id, endpoint, records, replica) select attempt_id, $3, 1, $4 from started
)
select id, attempt_id from started`,
};

/** Commits the attempt rows of calls that are about to be made; a record that was taken over meanwhile is left out. */
export async function startAttempts(
  db: Queryable,
  records: readonly ClaimedRecord[],
  context: { endpoint: string; replica: string; leaseSeconds: number },
): Promise<Map<string, string>> {
  const rows = await db.query<{ id: string; attempt_id: string }>(START, [
    records.map((record) => record.id),
    records.map((record) => record.epoch),
    context.endpoint,
    context.replica,
    context.leaseSeconds,
  ]);
  return new Map(rows.map((row) => [row.id, row.attempt_id]));
}

const UNCLAIM = {
  name: 'outbox-unclaim',
  text: `
update amlyze_record r
set state = 'pending', lease_until = null, next_attempt_at = now()
from unnest($1::bigint[], $2::bigint[]) as g(id, epoch)
where r.id = g.id and r.epoch = g.epoch and r.state = 'sending' and r.attempt_id is null
returning r.id`,
};

/** Gives back records that no call was made for. */
export async function unclaim(db: Queryable, records: readonly ClaimedRecord[]): Promise<void> {
  if (records.length === 0) return;
  await db.query(UNCLAIM, [records.map((record) => record.id), records.map((record) => record.epoch)]);
}

const EXTEND = {
  name: 'outbox-extend-ahead',
  // What is being settled is passed over, see outbox-extend-lease.
  text: `
with mine as materialized (
  select r.id from unnest($1::bigint[], $2::bigint[]) as g(id, epoch) join amlyze_record r on r.id = g.id
  where r.epoch = g.epoch and r.state = 'sending'
  for update of r skip locked
)
update amlyze_record r set lease_until = now() + make_interval(secs => $3::float8) from mine where r.id = mine.id`,
};

/** Renews the leases of all that this replica holds of the channel. */
export async function extendAhead(
  db: Queryable,
  records: readonly ClaimedRecord[],
  leaseSeconds: number,
): Promise<void> {
  if (records.length === 0) return;
  await db.query(EXTEND, [records.map((record) => record.id), records.map((record) => record.epoch), leaseSeconds]);
}

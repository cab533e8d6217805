import type { Queryable } from '../shared/database';
import { lookedUp } from '../shared/looked-up';
import { VERDICTS_BEFORE, toClaimedRecord, type ClaimedRecord, type ClaimedRow } from './claimed-record';
import type { RecordChannel } from './record-state';
import { answerKey, type LateAnswers, type SettledCall } from './settle';
import { HOLD_ATTEMPTS, JUDGED, LOG_GIVEN, SETTLED_VALUES, settlementColumns, STILL_OURS } from './settlement-sql';

/** A record of a channel without batches, claimed and promised to one call. */
export interface Promised {
  record: ClaimedRecord;
  attemptId: string;
}

/** Whom a turn claims for. */
export interface TurnClaim {
  channel: RecordChannel;
  endpoint: string;
  replica: string;
  leaseSeconds: number;
  limit: number;
  /** Of the endpoint's row when leave to send was given; every pause and every resume changes it. */
  generation: string;
  /** The claim is the endpoint's probe: its pause is known and does not count. */
  probe: boolean;
  exceptIds: readonly string[];
  /** Records that were due earlier are left out: where thousands were claimed just now, their index entries need not be passed again. */
  dueFrom: Date | undefined;
}

export interface TurnResult {
  late: LateAnswers;
  promised: Promised[];
  /** When the last of the promised records was due. */
  lastDue: Date | undefined;
  /** False where the endpoint is paused, or was paused or resumed since leave was given: then nothing was claimed. */
  open: boolean;
}

interface TurnRow extends ClaimedRow {
  what: 'late' | 'promised' | 'open';
  attempt_id: string;
  due: Date;
}

/**
 * One turn of a channel whose records go out one by one: settles the calls that came back, claims the records of the next
 * ones and logs their attempts, all in one statement and therefore one commit. Apart, the three cost four times as much as
 * the calls themselves. What is settled and what is claimed never is the same row: the claim sees what was pending before.
 *
 * Records of this channel belong to no series, so there is nothing to release and none can block another. The limit of what
 * is given takes none away: it lets the planner expect one row, whose plan (an index look-up a row) stays right while the
 * tables grow; where it expects ten it may read all attempts for each turn, in a plan that was made while there were none.
 */
const TURN = {
  name: 'outbox-turn',
  text: `
with given as materialized (
  select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::float8[], $12::smallint[], $13::smallint[], $14::text[], $15::smallint[], $16::text[], $17::integer[])
  as g(attempt_id, id, state, reason, in_doubt, verdict, verdict_reason, error_code, error_description, answer, delay_ms, charge, whole,
    outcome, http_status, detail, latency_ms)
  limit $18
), ${HOLD_ATTEMPTS('$1::bigint[]', 'given')}, settled as (
  update record_state r
  set ${SETTLED_VALUES}, batch_group = null
  from given g
  where ${STILL_OURS} and g.attempt_id in (select h.id from held h)
  returning r.record_id as id, g.attempt_id
), ${JUDGED}, logged as (
  ${LOG_GIVEN}
), completed as (
  update delivery_attempt a
  set finished_at = now(), lease_until = null, record_ids = null, outcome = g.outcome, http_status = g.http_status, detail = g.detail,
      latency_ms = g.latency_ms
  from given g
  where ${lookedUp('a.id', 'g.attempt_id')} and a.finished_at is null
), leave as materialized (
  select pg_get_serial_sequence('delivery_attempt', 'id')::regclass as attempt_ids
  from amlyze_endpoint where endpoint = $19 and generation = $20 and (pause is null or $21)
), candidate as materialized (
  select record_id as id, in_doubt, next_attempt_at from record_state
  where channel = $22 and next_attempt_at <= now() and next_attempt_at >= coalesce($27::timestamptz, '-infinity')
    and state = 'pending' and not (record_id = any($23::bigint[]))
    and exists (select from leave)
  order by next_attempt_at, record_id
  limit $24
  for update skip locked
), claimed as (
  update record_state r
  set state = 'sending', in_doubt = true, claims = r.claims + 1, attempt_id = nextval((select attempt_ids from leave))
  from candidate c
  where ${lookedUp('r.record_id', 'c.id')}
  returning r.record_id as id, r.attempt_id, r.claims, c.in_doubt as was_in_doubt, r.attempts, r.whole_failures, c.next_attempt_at as due
), started as (
  insert into delivery_attempt (id, endpoint, records, replica, lease_until, record_ids)
  select attempt_id, $19, 1, $26, now() + make_interval(secs => $25::float8), array[id] from claimed
)
select 'promised' as what, c.id, c.attempt_id, m.communication_number, m.operation_ext_id, m.business_unit, m.payload, m.sealed, c.was_in_doubt,
  ${VERDICTS_BEFORE},
  c.attempts, c.whole_failures, c.due
from claimed c join amlyze_record m on ${lookedUp('m.id', 'c.id')}
union all
select 'late', id, attempt_id, null, null, null, null, null, null, null, null, null, null from judged where late
union all
select 'open', null, null, null, null, null, null, null, null, null, null, null, null from leave`,
};

/** A claim of nothing, for a turn that only settles. */
const NO_CLAIM: TurnClaim = {
  channel: 'operation-single',
  endpoint: '',
  replica: '',
  leaseSeconds: 0,
  limit: 0,
  generation: '0',
  probe: false,
  exceptIds: [],
  dueFrom: undefined,
};

/**
 * Settles calls of one record each and claims up to `claim.limit` records, each in doubt and with its attempt committed. Of
 * a paused endpoint nothing is claimed, but everything settled.
 */
export async function takeTurn(
  db: Queryable,
  calls: readonly SettledCall[],
  claim: TurnClaim | undefined,
): Promise<TurnResult> {
  const rows = await db.query<TurnRow>(TURN, [...settleColumns(calls), ...claimValues(claim ?? NO_CLAIM)]);
  const late = new Set<string>();
  const promised: Promised[] = [];
  let lastDue: Date | undefined;
  let open = false;
  for (const row of rows) {
    if (row.what === 'late') late.add(answerKey(row.attempt_id, row.id));
    else if (row.what === 'promised') {
      promised.push({ record: toClaimedRecord(row), attemptId: row.attempt_id });
      if (lastDue === undefined || row.due > lastDue) lastDue = row.due;
    } else open = true;
  }
  return { late, promised, lastDue, open };
}

/** Each settlement with the end of its own call: there is one record a call. */
function settleColumns(calls: readonly SettledCall[]): unknown[] {
  const ends = calls.flatMap(({ settlements, end }) => settlements.map(() => end));
  return [
    ...settlementColumns(calls),
    ends.map((end) => end.outcome),
    ends.map((end) => end.httpStatus ?? null),
    ends.map((end) => end.detail ?? null),
    ends.map((end) => end.latencyMs ?? null),
    ends.length,
  ];
}

function claimValues(claim: TurnClaim): unknown[] {
  const { endpoint, generation, probe, channel, exceptIds, limit, leaseSeconds, replica, dueFrom } = claim;
  return [endpoint, generation, probe, channel, exceptIds, limit, leaseSeconds, replica, dueFrom ?? null];
}

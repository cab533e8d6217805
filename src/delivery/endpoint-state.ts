import type { Queryable } from '../shared/database';
import { OPERATOR_PROBE_MS } from './endpoint-pause';
import type { Lane } from './lane';

/** Why an endpoint of AMLYZE is not being called. `operator`: a person or a change of configuration has to end it. */
export type PauseKind = 'backoff' | 'rate-limit' | 'operator';

/** One row of amlyze_endpoint as a worker saw it when it asked for leave to send. */
export interface EndpointState {
  pause: PauseKind | undefined;
  pauseReason: string | undefined;
  pausedSince: Date | undefined;
  pausedUntil: Date | undefined;
  /** Consecutive failed calls of the endpoint. */
  failures: number;
  /** Changes with every pause and resume; of a call that was already under way then, at most a new kind of pause counts. */
  generation: string;
  lastFailedIds: string[];
  lastSuccessAt: Date | undefined;
  batchLimit: number | undefined;
  /** Of the replica that asked for leave. */
  configurationHash?: string;
}

/** What a call that came back knew of the endpoint. */
type Seen = Pick<EndpointState, 'generation' | 'configurationHash'>;

interface EndpointRow {
  pause: PauseKind | null;
  pause_reason: string | null;
  paused_since: Date | null;
  paused_until: Date | null;
  failures: number;
  generation: string;
  last_failed_ids: string[];
  last_success_at: Date | null;
  batch_limit: number | null;
}

const COLUMNS =
  'pause, pause_reason, paused_since, paused_until, failures, generation, last_failed_ids, last_success_at, batch_limit';

// Replicas can have different configurations, for a moment or by mistake: which of them AMLYZE has refused is kept until one of
// them gets through or a person resumes. So each of them can be tried once at once, and none of them again and again.
/** The hashes are listed one after the other, newest last. Without the word before it, one was only used, in rows of earlier builds. */
const toListed = (configurationHash: string | undefined): string | null =>
  configurationHash === undefined ? null : `refused:${configurationHash}`;
/** Characters of the list that are kept beside a new hash: those of seven, each with its word and a space. */
const LISTED_BEFORE = 7 * (64 + 'refused: '.length) - 1;
const isListed = (listed: string): string =>
  `coalesce(${listed} = any(string_to_array(configuration_hash, ' ')), false)`;

function toState(row: EndpointRow, configurationHash?: string): EndpointState {
  return {
    ...(configurationHash !== undefined && { configurationHash }),
    pause: row.pause ?? undefined,
    pauseReason: row.pause_reason ?? undefined,
    pausedSince: row.paused_since ?? undefined,
    pausedUntil: row.paused_until ?? undefined,
    failures: row.failures,
    generation: row.generation,
    lastFailedIds: row.last_failed_ids,
    lastSuccessAt: row.last_success_at ?? undefined,
    batchLimit: row.batch_limit ?? undefined,
  };
}

/** Leave to send: `open`, `probe` (this caller alone may try one batch), or `closed` until the pause's time. */
export type Leave = { kind: 'open' | 'probe'; state: EndpointState } | { kind: 'closed'; state: EndpointState };

const READ = {
  name: 'endpoint-read',
  text: `select ${COLUMNS}, ${isListed('$2')} as refused from amlyze_endpoint where endpoint = $1`,
};

/**
 * The probe has a lease like the records of its call: a dead prober keeps an endpoint shut no longer than it keeps them. It comes early for
 * a replica with another configuration than the refused ones, and for nobody else: who has a refused one would only begin the pause anew.
 */
const TAKE_PROBE = {
  name: 'endpoint-take-probe',
  text: `update amlyze_endpoint set probe_until = now() + make_interval(secs => $2::float8)
where endpoint = $1 and pause is not null and (probe_until is null or probe_until < now())
  and (paused_until <= now() or (pause = 'operator' and configuration_hash is not null and not ${isListed('$3')}))
returning ${COLUMNS}`,
};

/** While others get through, a replica whose configuration was refused tries as seldom as in a pause; see SUCCEED. */
const TAKE_PROBE_OF_REFUSED = {
  name: 'endpoint-take-probe-of-refused',
  text: `update amlyze_endpoint set probe_until = now() + make_interval(secs => $2::float8)
where endpoint = $1 and pause is null and (probe_until is null or probe_until < now())
returning ${COLUMNS}`,
};

/** Makes the endpoint's row where there is none. */
export async function openEndpoint(db: Queryable, endpoint: string): Promise<void> {
  await db.query('insert into amlyze_endpoint (endpoint) values ($1) on conflict (endpoint) do nothing', [endpoint]);
}

/** A probe that is granted is the caller's for `leaseSeconds`; see extendProbe. */
export async function askLeave(
  db: Queryable,
  lane: Pick<Lane, 'endpoint' | 'configurationHash'>,
  leaseSeconds: number,
): Promise<Leave> {
  const { endpoint } = lane;
  const hash = lane.configurationHash();
  const listed = toListed(hash);
  const [row] = await db.query<EndpointRow & { refused: boolean }>(READ, [endpoint, listed]);
  if (!row) throw new Error(`endpoint ${endpoint} was never opened`);
  if (row.pause === null && !row.refused) return { kind: 'open', state: toState(row, hash) };
  const [probe] =
    row.pause === null
      ? await db.query<EndpointRow>(TAKE_PROBE_OF_REFUSED, [endpoint, OPERATOR_PROBE_MS / 1_000])
      : await db.query<EndpointRow>(TAKE_PROBE, [endpoint, leaseSeconds, listed]);
  return probe ? { kind: 'probe', state: toState(probe, hash) } : { kind: 'closed', state: toState(row, hash) };
}

const EXTEND_PROBE = {
  name: 'endpoint-extend-probe',
  text: `update amlyze_endpoint set probe_until = now() + make_interval(secs => $3::float8)
where endpoint = $1 and generation = $2 and probe_until is not null`,
};

/** Renews the lease of a probe whose call is under way; does nothing once a newer pause, or the end of it, has come. */
export async function extendProbe(
  db: Queryable,
  endpoint: string,
  seen: Pick<EndpointState, 'generation' | 'pause'>,
  leaseSeconds: number,
): Promise<void> {
  // Who saw a pause and may send all the same is a probe.
  if (seen.pause !== undefined) await db.query(EXTEND_PROBE, [endpoint, seen.generation, leaseSeconds]);
}

/** Lets go of a probe that said nothing about the endpoint: nothing was due, or only its batch is to blame. */
export async function returnProbe(
  db: Queryable,
  endpoint: string,
  seen: Pick<EndpointState, 'generation'>,
): Promise<void> {
  await db.query('update amlyze_endpoint set probe_until = null where endpoint = $1 and generation = $2', [
    endpoint,
    seen.generation,
  ]);
}

const SUCCEED = {
  name: 'endpoint-succeed',
  text: `update amlyze_endpoint e
set last_success_at = clock_timestamp(), pause = null, pause_reason = null, paused_since = null, paused_until = null,
    probe_until = case when ${isListed('$5')} then null when e.pause = 'operator' and e.configuration_hash is not null then e.paused_until
                       when e.pause is null then e.probe_until end,
    configuration_hash = case when not ${isListed('$5')} then e.configuration_hash end,
    failures = 0, last_failed_ids = '{}', generation = e.generation + case when e.pause is null and e.failures = 0 then 0 else 1 end,
    batch_limit = case when e.batch_limit is null or $2 < e.batch_limit then e.batch_limit
                       when e.batch_limit + greatest(1, e.batch_limit / 4) >= $3 then null
                       else e.batch_limit + greatest(1, e.batch_limit / 4) end
from (select endpoint, paused_since from amlyze_endpoint where endpoint = $1 for no key update) before
where e.endpoint = before.endpoint and (e.pause is null or e.pause = 'backoff' or e.generation = $4)
returning before.paused_since`,
};

/**
 * A results list came: the pause ends, and a batch as large as the reduced limit lets the limit grow again. A call that
 * was under way before AMLYZE asked for a wait, or refused our token, says nothing against that: such a pause ends with a
 * call that was made in its knowledge, a probe. Replicas with a configuration that was refused, where this call had
 * another, go on waiting until the time of their pause.
 *
 * @returns since when the pause was that has ended with this call
 */
export async function recordSuccess(
  db: Queryable,
  endpoint: string,
  seen: Seen,
  size: { sent: number; configured: number },
): Promise<Date | undefined> {
  const values = [endpoint, size.sent, size.configured, seen.generation, toListed(seen.configurationHash)];
  const [before] = await db.query<{ paused_since: Date | null }>(SUCCEED, values);
  if (!before)
    await db.query('update amlyze_endpoint set last_success_at = clock_timestamp() where endpoint = $1', [endpoint]);
  return before?.paused_since ?? undefined;
}

const FAIL = {
  name: 'endpoint-fail',
  text: `update amlyze_endpoint e
set failures = e.failures + case when e.generation = $2 then 1 else 0 end, generation = e.generation + 1, pause = $3, pause_reason = left($4, 500),
    paused_since = coalesce(e.paused_since, now()), paused_until = now() + make_interval(secs => $5::float8 / 1000),
    probe_until = null, last_failed_ids = $6::bigint[],
    configuration_hash = case when $3 <> 'operator' or $7::text is null or ${isListed('$7')} then e.configuration_hash
                              else concat_ws(' ', right(e.configuration_hash, ${LISTED_BEFORE}), $7::text) end
from (select endpoint, pause, paused_until, generation from amlyze_endpoint where endpoint = $1 for no key update) before
where e.endpoint = before.endpoint and (e.generation = $2 or ($3 <> 'backoff' and e.pause = 'backoff')
  or ($3 = 'rate-limit' and (e.pause is null or e.pause = 'rate-limit' and e.paused_until < now() + make_interval(secs => $5::float8 / 1000))))
returning before.generation = $2 or before.pause is distinct from $3 or before.paused_until + interval '1 s' < e.paused_until as news`,
};

/**
 * Pauses the endpoint, and says whether that is news: not where the pause stood already, or lasts hardly longer now. Calls that were under way together count once: only the first finds its
 * generation. What AMLYZE asks for, or what an operator has to mend, takes the place of a back-off that another call began meanwhile.
 * What AMLYZE asks for holds too where a pause came and went since the call began: a success, or a resume by a person, before the
 * answer says nothing against it. Of several waits that it asks calls under way together for, the longest holds.
 */
export async function recordFailure(
  db: Queryable,
  endpoint: string,
  seen: Seen,
  pause: { kind: PauseKind; reason: string; forMs: number; failedIds: readonly string[] },
): Promise<boolean> {
  const values = [
    endpoint,
    seen.generation,
    pause.kind,
    pause.reason,
    pause.forMs,
    pause.failedIds,
    toListed(seen.configurationHash),
  ];
  const [row] = await db.query<{ news: boolean }>(FAIL, values);
  return row?.news ?? false;
}

/**
 * A batch was refused for its size, or not answered in time: half of it is tried next, however many of that size were
 * under way. Down to a single record, because with any higher floor an AMLYZE that is slower than that would never get
 * one through; recordSuccess leads up again.
 */
export async function halveBatchLimit(db: Queryable, endpoint: string, sent: number): Promise<void> {
  await db.query(
    'update amlyze_endpoint set batch_limit = greatest(1, least(batch_limit, $2::integer / 2)) where endpoint = $1',
    [endpoint, sent],
  );
}

/** An operator ends every pause at once, in every replica; the next batch goes out as if nothing had been. Returns the endpoints resumed. */
export async function resumeAll(db: Queryable): Promise<string[]> {
  const rows = await db.query<{ endpoint: string }>(
    `update amlyze_endpoint set pause = null, pause_reason = null, paused_since = null, paused_until = null, probe_until = null,
  failures = 0, last_failed_ids = '{}', generation = generation + 1, configuration_hash = null
where pause is not null or configuration_hash is not null returning endpoint`,
  );
  return rows.map((row) => row.endpoint);
}

/** An endpoint as one replica stands to it. */
export interface EndpointView extends EndpointState {
  endpoint: string;
  /** AMLYZE has refused what this replica is configured with, also where there is no pause, because others get through. */
  refusesThisReplica: boolean;
}

/** All endpoints, for readiness, metrics and status of the replica that has this configuration. */
export async function findEndpoints(db: Queryable, configurationHash: string): Promise<EndpointView[]> {
  const rows = await db.query<EndpointRow & { endpoint: string; refused: boolean }>(
    `select endpoint, ${COLUMNS}, ${isListed('$1')} as refused from amlyze_endpoint order by endpoint`,
    [toListed(configurationHash)],
  );
  return rows.map((row) => ({ endpoint: row.endpoint, refusesThisReplica: row.refused, ...toState(row) }));
}

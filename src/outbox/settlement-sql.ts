import { ACCOUNT_CHANGED } from '../shared/amlyze-account';
import { lookedUp } from '../shared/looked-up';
import type { SettledCall, Settlement } from './settle';

// Two statements settle records: a batch's, and the turn of a channel without batches. What they share stands here, once.

/**
 * One more call that failed as a whole. All that is asked is whether there was any, and after 11 days of probes every 30 s the
 * column is full: an outage may last longer.
 */
export const ONE_MORE_WHOLE_FAILURE = 'least(r.whole_failures + 1, 32767)';

/**
 * Its account got another name at AMLYZE while it was under way, and AMLYZE has not got it: what the account's own change would have held
 * is held when it comes back.
 */
const RENAMED = `(g.state = 'pending' and not g.in_doubt and r.reason is not distinct from '${ACCOUNT_CHANGED}')`;

/** The settlement leaves its record in the queue. */
export const STAYS_PENDING = `(g.state = 'pending' and not ${RENAMED})`;

/** What a settlement makes of its record. Without a wait a pending record goes back to its place by age. */
export const SETTLED_VALUES = `state = case when ${RENAMED} then 'held' else g.state end, reason = case when ${RENAMED} then r.reason else g.reason end,
      in_doubt = g.in_doubt, error_code = g.error_code, error_description = g.error_description,
      attempts = r.attempts + g.charge, whole_failures = case when g.whole = 1 then ${ONE_MORE_WHOLE_FAILURE} else 0 end, attempt_id = null,
      next_attempt_at = case when not ${STAYS_PENDING} then null when coalesce(g.delay_ms, 0) = 0 then r.created_at
        else now() + make_interval(secs => g.delay_ms / 1000) end,
      settled_at = case when ${STAYS_PENDING} then null else now() end`;

/** Which record a settlement is for, while it is still under way with the settlement's attempt. */
export const STILL_OURS = `${lookedUp('r.record_id', 'g.id')} and r.attempt_id = g.attempt_id`;

/**
 * The attempts first, then their records: so does who takes back an attempt whose lease ran out, and the two cannot wait for each
 * other in a circle. A row that had to be waited for comes as it is by then, whatever the statement saw before.
 *
 * Attempts that have ended just as `ends` says are `repeated`: they were settled by this very statement, and only the answer of its
 * commit was lost. Made again it adds nothing, above all no answers that came late.
 */
export const HOLD_ATTEMPTS = (ids: string, ends: string): string => `held as materialized (
  select a.id, a.finished_at, a.outcome, a.http_status, a.detail, a.latency_ms from delivery_attempt a where a.id = any(${ids}) order by a.id for update
), repeated as materialized (
  select h.id from held h where h.finished_at is not null and exists (
    select from ${ends} e where e.attempt_id = h.id
      and (e.outcome, e.http_status, e.detail, e.latency_ms) is not distinct from (h.outcome, h.http_status, h.detail, h.latency_ms)
  )
)`;

/**
 * The settlements with what became of them: late where the claim was lost. `not in` is answered from a hash; a join of two lists
 * that are expected to be short compares each line with each.
 */
export const JUDGED = `judged as materialized (
  select g.*, (g.id, g.attempt_id) not in (select s.id, s.attempt_id from settled s) as late from given g
  where g.attempt_id not in (select p.id from repeated p)
)`;

/** The line of the log that every settlement leaves, also one whose claim was lost. */
export const LOG_GIVEN = `insert into delivery_result (record_id, attempt_id, late, verdict, reason, error_code, error_description, answer)
  select id, attempt_id, late, verdict, verdict_reason, error_code, error_description, answer from judged
  on conflict do nothing`;

/** The first thirteen parameters of both statements, a list each with an item for every settlement. */
export function settlementColumns(calls: readonly SettledCall[]): unknown[] {
  const settlements = calls.flatMap((call) => call.settlements);
  const column = <T>(pick: (settlement: Settlement) => T): T[] => settlements.map(pick);
  return [
    calls.flatMap((call) => call.settlements.map(() => call.attemptId)),
    column((s) => s.record.id),
    column((s) => s.state),
    column((s) => s.reason ?? null),
    column((s) => s.inDoubt),
    column((s) => s.verdict),
    column((s) => s.verdictReason ?? null),
    column((s) => s.errorCode ?? null),
    column((s) => s.errorDescription ?? null),
    column((s) => s.answer ?? null),
    column((s) => s.delayMs ?? null),
    column((s) => (s.chargesAttempt ? 1 : 0)),
    column((s) => (s.wholeFailure ? 1 : 0)),
  ];
}

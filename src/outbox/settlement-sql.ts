import { lookedUp } from '../shared/looked-up';
import type { SettledCall, Settlement } from './settle';

// Two statements settle records: a batch's, and the turn of a channel without batches. What they share stands here, once.

/** What a settlement makes of its record. Without a wait a pending record goes back to its place by age. */
export const SETTLED_VALUES = `state = g.state, reason = g.reason, in_doubt = g.in_doubt, error_code = g.error_code, error_description = g.error_description,
      attempts = r.attempts + g.charge, whole_failures = case when g.whole = 1 then r.whole_failures + 1 else 0 end,
      lease_until = null, attempt_id = null,
      next_attempt_at = case when g.state <> 'pending' then null when coalesce(g.delay_ms, 0) = 0 then r.created_at
        else now() + make_interval(secs => g.delay_ms / 1000) end,
      settled_at = case when g.state = 'pending' then null else now() end`;

/**
 * Being sent, and waiting to be sent, of a record `r` that is looked up by its key. Each state has a column of its own (CHECKs say
 * so); the coalesce keeps the planner from concluding that a partial index of all such records would do, and reading all of it.
 */
export const BEING_SENT = "coalesce(r.lease_until, '-infinity') > '-infinity'";
export const WAITING = "coalesce(r.next_attempt_at, 'infinity') < 'infinity'";

/** Which record a settlement is for, while its claim is still ours. */
export const STILL_OURS = `${lookedUp('r.id', 'g.id')} and r.epoch = g.epoch and ${BEING_SENT}`;

/**
 * The line of the log that every given settlement leaves, also one whose claim was lost. `not in` is answered from a hash; a
 * join of two lists that are expected to be short compares each line with each.
 */
export const LOG_GIVEN = `insert into delivery_result (record_id, attempt_id, late, verdict, reason, error_code, error_description, answer)
  select g.id, g.attempt_id, (g.id, g.attempt_id) not in (select s.id, s.attempt_id from settled s), g.verdict, g.verdict_reason,
    g.error_code, g.error_description, g.answer
  from given g
  on conflict do nothing`;

/** The first fourteen parameters of both statements, a list each with an item for every settlement. */
export function settlementColumns(calls: readonly SettledCall[]): unknown[] {
  const settlements = calls.flatMap((call) => call.settlements);
  const column = <T>(pick: (settlement: Settlement) => T): T[] => settlements.map(pick);
  return [
    calls.flatMap((call) => call.settlements.map(() => call.attemptId)),
    column((s) => s.record.id),
    column((s) => s.record.epoch),
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

import { lookedUp } from '../shared/looked-up';

// The ledger's index has the day of a read in UTC in front, then consent, account at the bank and time: reads of one day stand side by
// side, whoever was read. Whoever asks for reads has to name their days.

/** The day of a read in UTC, as the index has it. */
function readDay(ledger: string): string {
  return `(${ledger}.read_at at time zone 'UTC')::date`;
}

/**
 * The days in UTC from an instant until today, or until the latest that the ledger has: a claim that waited for another's lock over
 * midnight has to see that one's read, and so has a server whose clock was set back.
 */
function daysSince(instant: string): string {
  const first = `((${instant}) at time zone 'UTC')::date`;
  const latest = `(select ${readDay('newest')} from access_ledger newest order by ${readDay('newest')} desc limit 1)`;
  return `array(select ${first} + n from generate_series(0, greatest((now() at time zone 'UTC')::date, ${latest}) - ${first}) n)`;
}

/**
 * The rows of `asked`, which is called `a`, with the window that their budget is counted in: the day in the zone `a.day_zone`, or the last 24
 * hours where that is null.
 */
export function withWindow(asked: string): string {
  return `select w.*, ${daysSince('w.window_start')} as days from (
    select a.*, case when a.day_zone is null then now() - interval '24 hours' else date_trunc('day', now(), a.day_zone) end as window_start
    from ${asked}
  ) w`;
}

/** That a read of the consent is in the window of the row `q` of `withWindow`. */
export function inWindow(ledger: string, consentId: string): string {
  return `${readDay(ledger)} = any(q.days) and ${ledger}.consent_id = ${consentId} and ${ledger}.read_at > q.window_start`;
}

/** That a row of the ledger is the read `x`, made since yesterday. */
export function isRead(ledger: string): string {
  return `${readDay(ledger)} = any(${daysSince(`now() - interval '1 day'`)}) and ${lookedUp(`${ledger}.consent_id`, 'x.consent_id')}
  and ${lookedUp(`${ledger}.subject_id`, 'x.subject_id')} and ${ledger}.request_id = x.request_id`;
}

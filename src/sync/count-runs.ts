import { standingBehind } from '../outbox/standing';
import type { Database, Queryable } from '../shared/database';
import { lookedUp } from '../shared/looked-up';

const MAX_RUNS = 50;

/**
 * The oldest or the newest record of a run. As an equality the run would be no part of the order, and the oldest or newest record of all would
 * be looked at first (see standingBehind).
 */
const endOfRun = (column: string, run: string, order: 'asc' | 'desc'): string =>
  `select ${column} from amlyze_record e where e.run_id >= ${run} and (e.run_id, e.id) < (${run} + 1, 0) order by e.run_id ${order}, e.id ${order} limit 1`;

/**
 * The records of a run by state, as SQL for a jsonb object. Nearly all are accepted: they are what is left of the run's records when the others,
 * which have indexes, are taken away. So no state of an accepted record is looked at, and of what is open only what is as old as the run.
 *
 * @param run a bigint: a parameter or a column
 */
export const recordsByState = (run: string): string => `(
  with other as materialized (
    select s.state, count(*) as n from record_state s where s.run_id = ${run} and s.standing <> 'open' group by s.state
    union all
    select s.state, count(*) as n from record_state s
    where s.run_id = ${run} and ${standingBehind("'open'", `(${endOfRun('id - 1', run, 'asc')})`, 's')}
      and (s.standing, s.record_id) <= ('open', (${endOfRun('id', run, 'desc')}))
    group by s.state
  ), accepted as (
    select count(*) - (select coalesce(sum(n), 0) from other) as n from amlyze_record where run_id = ${run}
  )
  select coalesce(jsonb_object_agg(state, n), '{}')
  from (select state, n from other union all select 'accepted', n from accepted where n > 0) every
)`;

// What is locked here is either being counted by another replica or being changed by an operator: the next turn. A run whose
// newest record waits is not counted every minute to find that out.
const UNCOUNTED = {
  name: 'sync-lock-uncounted-runs',
  text: `
select id from sync_run where records is null and finished_at is not null and id > $1
  and (${endOfRun(`(select s.settled_at is not null from record_state s where ${lookedUp('s.record_id', 'e.id')})`, 'sync_run.id', 'desc')}) is not false
order by id limit 1
for no key update skip locked`,
};

const COUNT = {
  name: 'sync-count-run',
  text: `
update sync_run r set records = c.records from (select ${recordsByState('$1::bigint')} as records) c
where r.id = $1 and not c.records ?| array['pending', 'sending']`,
};

/**
 * Writes down the records of finished runs by state, where all of them are settled. The run is locked before it is counted
 * and `forgetCount` waits for that lock, so no count outlives a change; the count is a second statement, which sees what was
 * committed before the lock.
 */
export async function countSettledRuns(database: Database): Promise<number> {
  let looked = 0;
  for (let after: string | undefined = '0'; after !== undefined && looked < MAX_RUNS; looked += 1) {
    after = await database.transaction(async (tx) => {
      const [run] = await tx.query<{ id: string }>(UNCOUNTED, [after]);
      if (run) await tx.query(COUNT, [run.id]);
      return run?.id;
    });
  }
  return looked;
}

/**
 * A record of the run is changed by an operator: its count is made anew once everything is settled again. A run that is not over has none,
 * and is locked all the same: it could end and be counted before this commits.
 */
export async function forgetCount(tx: Queryable, recordId: string): Promise<void> {
  await tx.query('update sync_run set records = null where id = (select run_id from amlyze_record where id = $1)', [
    recordId,
  ]);
}

import type { Database, Queryable } from '../shared/database';
import { lookedUp } from '../shared/looked-up';

const MAX_RUNS = 50;

// What is locked here is either being counted by another replica or being changed by an operator: the next turn. A run whose
// newest record waits is not counted every minute to find that out; as an equality the run would be no part of the order, and
// the newest record of all would be looked at first (see standingBehind).
const UNCOUNTED = {
  name: 'sync-lock-uncounted-runs',
  text: `
select id from sync_run where records is null and finished_at is not null and id > $1
  and (select (select s.settled_at is not null from record_state s where ${lookedUp('s.record_id', 'r.id')}) from amlyze_record r
       where r.run_id >= sync_run.id and (r.run_id, r.id) < (sync_run.id + 1, 0)
       order by r.run_id desc, r.id desc limit 1) is not false
order by id limit 1
for no key update skip locked`,
};

const COUNT = {
  name: 'sync-count-run',
  text: `
update sync_run r set records = c.records
from (select coalesce(jsonb_object_agg(state, n), '{}') as records
      from (select s.state, count(*) as n from amlyze_record m join record_state s on ${lookedUp('s.record_id', 'm.id')}
            where m.run_id = $1 group by s.state) s) c
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

import type { Queryable } from '../shared/database';
import { blocksDown, inBlock } from '../shared/id-block';
import { lookedUp } from '../shared/looked-up';
import { Slots } from '../shared/slots';
import type { LastAcceptedRecordDto, LastReadingDto } from './account.dto';

interface ReadingRow {
  id: string;
  run_id: string | null;
  outcome: string;
  reason: string | null;
  fetched_at: Date;
  balance_at: Date | null;
  communication_number: string | null;
  next_read_at: Date | null;
}

interface RecordRow {
  communication_number: string;
  balance_type: string;
  balance_at: Date;
  value: string;
  settled_at: Date;
}

export async function findLastReading(db: Queryable, accountId: string): Promise<LastReadingDto | null> {
  const [row] = await db.query<ReadingRow>(
    `select id, run_id, outcome, reason, fetched_at, balance_at, communication_number, next_read_at
     from ${blocksDown('balance_reading')} cross join lateral (
       select * from balance_reading where ${inBlock('id')} and account_id = $1 order by id desc limit 1
     ) r
     order by blocks.block desc limit 1`,
    [accountId],
  );
  if (!row) return null;
  return {
    id: row.id,
    runId: row.run_id,
    outcome: row.outcome,
    reason: row.reason,
    fetchedAt: row.fetched_at.toISOString(),
    balanceAt: row.balance_at?.toISOString() ?? null,
    communicationNumber: row.communication_number,
    nextReadAt: row.next_read_at?.toISOString() ?? null,
  };
}

/** The newest balance that AMLYZE has of the account. */
export async function findLastAcceptedRecord(db: Queryable, accountId: string): Promise<LastAcceptedRecordDto | null> {
  const [row] = await db.query<RecordRow>(
    `select r.communication_number, r.balance_type, r.balance_at, r.value, r.settled_at
     from ${blocksDown('amlyze_record')} cross join lateral (
       select r.*, s.settled_at from amlyze_record r join record_state s on ${lookedUp('s.record_id', 'r.id')}
       where ${inBlock('r.id')} and r.account_id = $1 and s.state = 'accepted' order by r.balance_at desc, r.revision desc limit 1
     ) r
     order by r.balance_at desc, r.revision desc limit 1`,
    [accountId],
  );
  if (!row) return null;
  return {
    communicationNumber: row.communication_number,
    balanceType: row.balance_type,
    balanceAt: row.balance_at.toISOString(),
    value: row.value,
    settledAt: row.settled_at.toISOString(),
  };
}

/** By the database clock, like the schedule itself. */
export async function findNextSlot(db: Queryable, syncCron: string): Promise<string | null> {
  const [row] = await db.query<{ now: Date }>(`select now() as now`);
  return row ? new Slots(syncCron).next(row.now).toISOString() : null;
}

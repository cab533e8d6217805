import { Injectable } from '@nestjs/common';
import { standingBehind, type Standing } from '../outbox/standing';
import { Database } from '../shared/database';

/** How long a snapshot serves: probes and scrapes must not cost the database more than a count now and then. */
const FRESH_MS = 5_000;

export interface BacklogSnapshot {
  /** Records by state, the accepted ones left out: they are history. */
  states: Record<string, number>;
  oldestPendingAt: Date | undefined;
  lastFinishedSlot: Date | undefined;
  lastOpenedSlot: Date | undefined;
  /** Database clock at the snapshot. */
  now: Date;
}

/** Records that are looked at for the oldest where the first of them was put back by a person, who can put back 5,000 in a call. */
const LOOKED_AT = 10_000;

const FIRST_PENDING = `from record_state r where ${standingBehind("'open'", '0', 'r')} and r.state = 'pending' order by r.standing, r.record_id`;

// Counted in the index alone. How many of the open ones are under way, their attempts say. The first record that waits is the oldest,
// unless it is back in the queue: then it is younger there than the record itself, and others may have waited for longer.
const SNAPSHOT = `
with first as materialized (
  select r.created_at, r.created_at > (select a.created_at from amlyze_record a where a.id = r.record_id) as is_back ${FIRST_PENDING} limit 1
)
select now() as now,
  coalesce((select jsonb_object_agg(s.standing, s.n) from (
     select standing, count(*) as n from record_state where standing is not null group by standing) s), '{}') as standings,
  (select coalesce(sum(cardinality(record_ids)), 0)::int from delivery_attempt where lease_until is not null) as sending,
  case when (select is_back from first) then (select min(w.created_at) from (select r.created_at ${FIRST_PENDING} limit ${LOOKED_AT}) w)
    else (select created_at from first) end as oldest_pending_at,
  (select max(slot) from sync_run where finished_at is not null) as last_finished_slot,
  (select max(slot) from sync_run) as last_opened_slot`;

interface SnapshotRow {
  now: Date;
  standings: Partial<Record<Standing, number>>;
  sending: number;
  oldest_pending_at: Date | null;
  last_finished_slot: Date | null;
  last_opened_slot: Date | null;
}

/** What waits to be delivered, as readiness, metrics and the status page show it. */
@Injectable()
export class Backlog {
  private taken: { atMs: number; snapshot: Promise<BacklogSnapshot> } | undefined;

  constructor(private readonly database: Database) {}

  async snapshot(): Promise<BacklogSnapshot> {
    if (!this.taken || performance.now() - this.taken.atMs > FRESH_MS) {
      const snapshot = this.take();
      this.taken = { atMs: performance.now(), snapshot };
      // A failed count is not kept: the next caller asks again.
      snapshot.catch(() => (this.taken = undefined));
    }
    return this.taken.snapshot;
  }

  private async take(): Promise<BacklogSnapshot> {
    const [row] = await this.database.query<SnapshotRow>(SNAPSHOT);
    if (!row) throw new Error('the snapshot returned no row');
    return {
      now: row.now,
      states: statesOf(row),
      oldestPendingAt: row.oldest_pending_at ?? undefined,
      lastFinishedSlot: row.last_finished_slot ?? undefined,
      lastOpenedSlot: row.last_opened_slot ?? undefined,
    };
  }
}

function statesOf({ standings: { open = 0, ...settled }, sending }: SnapshotRow): Record<string, number> {
  const pending = open - sending;
  return { ...settled, ...(pending > 0 && { pending }), ...(sending > 0 && { sending }) };
}

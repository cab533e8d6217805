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

// Counted in the index alone. How many of the open ones are under way, their attempts say.
const SNAPSHOT = `
select now() as now,
  coalesce((select jsonb_object_agg(s.standing, s.n) from (
     select standing, count(*) as n from record_state where standing is not null group by standing) s), '{}') as standings,
  (select coalesce(sum(cardinality(record_ids)), 0)::int from delivery_attempt where lease_until is not null) as sending,
  (select r.created_at from record_state r where ${standingBehind("'open'", '0', 'r')} and r.state = 'pending'
   order by r.standing, r.record_id limit 1) as oldest_pending_at,
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

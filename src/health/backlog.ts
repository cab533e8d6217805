import { Injectable } from '@nestjs/common';
import { inState } from '../outbox/in-state';
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

const SNAPSHOT = `
select now() as now,
  coalesce((select jsonb_object_agg(s.state, s.n) from (
     select state, count(*) as n from amlyze_record where state <> 'accepted' group by state) s), '{}') as states,
  (select r.created_at from amlyze_record r where ${inState("'pending'", '0', 'r')} order by r.state, r.id limit 1) as oldest_pending_at,
  (select max(slot) from sync_run where finished_at is not null) as last_finished_slot,
  (select max(slot) from sync_run) as last_opened_slot`;

interface SnapshotRow {
  now: Date;
  states: Record<string, number>;
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
      states: row.states,
      oldestPendingAt: row.oldest_pending_at ?? undefined,
      lastFinishedSlot: row.last_finished_slot ?? undefined,
      lastOpenedSlot: row.last_opened_slot ?? undefined,
    };
  }
}

import { Injectable } from '@nestjs/common';
import { Database } from '../shared/database';
import { Metrics } from '../shared/metrics';
import { within } from '../shared/within';
import { Backlog } from './backlog';

/** Counting accounts by freshness reads a whole table, so it is done at most this often. */
const FRESHNESS_EVERY_MS = 60_000;

/** A scrape waits this long for what the database knows; then it answers with what was known before. */
const WAIT_MS = 2_000;

const FRESHNESS = `
select case when u.last_read_at is null then 'never'
            when u.last_read_at > now() - interval '12 hours' then 'under_12h'
            when u.last_read_at > now() - interval '24 hours' then 'under_24h'
            when u.last_read_at > now() - interval '72 hours' then 'under_72h'
            else 'older' end as last_read, count(*)::int as n
from account a join access_subject u on u.id = a.subject_id
where a.status = 'active' group by 1`;

/** The text that Prometheus scrapes. What the database knows is asked at the scrape, within limits. */
@Injectable()
export class MetricsPage {
  private freshnessAtMs = -FRESHNESS_EVERY_MS;

  constructor(
    private readonly metrics: Metrics,
    private readonly backlog: Backlog,
    private readonly database: Database,
  ) {}

  async render(): Promise<string> {
    // A scrape must answer when the database does not: the process's own counters are what is needed then.
    await within(WAIT_MS, Promise.allSettled([this.refreshOutbox(), this.refreshFreshness()]));
    return this.metrics.registry.metrics();
  }

  private async refreshOutbox(): Promise<void> {
    const { states, oldestPendingAt, now } = await this.backlog.snapshot();
    for (const state of ['pending', 'sending', 'rejected', 'held', 'exhausted']) {
      this.metrics.outboxDepth.set({ state }, states[state] ?? 0);
    }
    this.metrics.outboxAgeSeconds.set(oldestPendingAt ? (now.getTime() - oldestPendingAt.getTime()) / 1000 : 0);
  }

  private async refreshFreshness(): Promise<void> {
    if (performance.now() - this.freshnessAtMs < FRESHNESS_EVERY_MS) return;
    const rows = await this.database.query<{ last_read: string; n: number }>(FRESHNESS);
    this.freshnessAtMs = performance.now();
    this.metrics.accountsByFreshness.reset();
    for (const { last_read, n } of rows) this.metrics.accountsByFreshness.set({ last_read }, n);
  }
}

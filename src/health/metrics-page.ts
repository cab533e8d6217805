import { Injectable } from '@nestjs/common';
import { AmlyzeClient } from '../amlyze/amlyze.client';
import { findEndpoints } from '../delivery/endpoint-state';
import { Database } from '../shared/database';
import { Metrics } from '../shared/metrics';
import { within } from '../shared/within';
import { Backlog } from './backlog';

/** Counting accounts by freshness reads a whole table, so it is done at most this often. */
const FRESHNESS_EVERY_MS = 60_000;

/** Counting consents reads their table, and so is done at most this often. */
const STOPS_EVERY_MS = 5_000;

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

/** What waits for a person before a bank is read again. The same consents count as stopped as on the status page. */
const STOPS = `
select k.paused_by_operator, k.paused_by_gateway, c.consent_required, c.token_rejected
from (select count(*) filter (where paused_by = 'operator')::int as paused_by_operator,
             count(*) filter (where paused_by = 'gateway')::int as paused_by_gateway
      from connection where status = 'paused') k,
     (select count(*) filter (where outcome = 'CONSENT_REQUIRED')::int as consent_required,
             count(*) filter (where outcome = 'TOKEN_REJECTED')::int as token_rejected
      from (select coalesce(stopped_outcome, case when status <> 'valid' or valid_until <= now() then 'CONSENT_REQUIRED' end) as outcome
            from consent) o) c`;

interface StopsRow {
  paused_by_operator: number;
  paused_by_gateway: number;
  consent_required: number;
  token_rejected: number;
}

/** The text that Prometheus scrapes. What the database knows is asked at the scrape, within limits. */
@Injectable()
export class MetricsPage {
  private freshnessAtMs = -FRESHNESS_EVERY_MS;
  private stopsAtMs = -STOPS_EVERY_MS;

  constructor(
    private readonly metrics: Metrics,
    private readonly backlog: Backlog,
    private readonly database: Database,
    private readonly amlyze: AmlyzeClient,
  ) {}

  async render(): Promise<string> {
    // A scrape must answer when the database does not: the process's own counters are what is needed then.
    const refreshed = [this.refreshOutbox(), this.refreshFreshness(), this.refreshStops(), this.refreshRefusals()];
    await within(WAIT_MS, Promise.allSettled(refreshed));
    return this.metrics.registry.metrics();
  }

  private async refreshOutbox(): Promise<void> {
    const { states, oldestPendingAt, now } = await this.backlog.snapshot();
    for (const state of ['pending', 'sending', 'rejected', 'held', 'exhausted']) {
      this.metrics.outboxDepth.set({ state }, states[state] ?? 0);
    }
    this.metrics.outboxAgeSeconds.set(oldestPendingAt ? (now.getTime() - oldestPendingAt.getTime()) / 1000 : 0);
  }

  private async refreshRefusals(): Promise<void> {
    const endpoints = await findEndpoints(this.database, this.amlyze.configurationHash());
    for (const { endpoint, refusesThisReplica } of endpoints)
      this.metrics.refusesThisReplica.set({ endpoint }, refusesThisReplica ? 1 : 0);
  }

  private async refreshFreshness(): Promise<void> {
    if (performance.now() - this.freshnessAtMs < FRESHNESS_EVERY_MS) return;
    const rows = await this.database.query<{ last_read: string; n: number }>(FRESHNESS);
    this.freshnessAtMs = performance.now();
    this.metrics.accountsByFreshness.reset();
    for (const { last_read, n } of rows) this.metrics.accountsByFreshness.set({ last_read }, n);
  }

  private async refreshStops(): Promise<void> {
    if (performance.now() - this.stopsAtMs < STOPS_EVERY_MS) return;
    const [row] = await this.database.query<StopsRow>(STOPS);
    if (!row) throw new Error('the count returned no row');
    this.stopsAtMs = performance.now();
    const { pausedConnections, stoppedConsents } = this.metrics;
    pausedConnections.set({ paused_by: 'operator' }, row.paused_by_operator);
    pausedConnections.set({ paused_by: 'gateway' }, row.paused_by_gateway);
    stoppedConsents.set({ outcome: 'CONSENT_REQUIRED' }, row.consent_required);
    stoppedConsents.set({ outcome: 'TOKEN_REJECTED' }, row.token_rejected);
  }
}

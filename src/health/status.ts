import { Injectable } from '@nestjs/common';
import { AmlyzeClient } from '../amlyze/amlyze.client';
import { Environment } from '../config/environment';
import { type BreakerRow, toUnavailability } from '../connections/unavailability';
import { findEndpoints } from '../delivery/endpoint-state';
import { Database } from '../shared/database';
import { Replica } from '../shared/replica';
import { Slots } from '../shared/slots';
import { version } from '../shared/version';
import { Backlog } from './backlog';
import type { StatusDto } from './status.dto';

/** Most connections on the page; `GET /admin/connections` has all of them, page by page. */
const MAX_CONNECTIONS = 500;

/** Where not all have room on the page, those that are paused or unavailable are on it. Only what is shown is counted up. */
const CONNECTIONS = `
with shown as materialized (
  select k.id, k.name, k.provider, k.status, k.pause_reason, k.paused_by, k.not_before, h.open_since, h.open_until, h.last_reason,
    count(*) over ()::int as total
  from connection k left join connection_health h on h.connection_id = k.id
  order by k.status = 'active' and h.open_since is null, k.id limit $1
)
select s.*,
  (select count(*)::int from account a where a.connection_id = s.id and a.status = 'active') as accounts,
  (select count(*)::int from consent c where c.connection_id = s.id and (c.stopped_outcome is not null or c.status <> 'valid'
     or c.valid_until <= now())) as stopped_consents
from shown s order by s.id`;

/** Outcomes of the newest run that concerned all accounts: what an operator means by "how are we doing". */
const OUTCOMES = `
select r.id, r.slot, r.outcomes from sync_run r where r.scope = '{"all": true}' and r.finished_at is not null order by r.id desc limit 1`;

interface ConnectionRow extends BreakerRow {
  id: string;
  name: string;
  provider: string;
  status: string;
  pause_reason: string | null;
  paused_by: string | null;
  not_before: Date | null;
  accounts: number;
  stopped_consents: number;
  /** Connections that there are, shown or not. */
  total: number;
}

/** One page of the whole: version, slots, pauses, backlog, connections, accounts by outcome. */
@Injectable()
export class Status {
  private readonly slots: Slots;

  constructor(
    private readonly database: Database,
    private readonly backlog: Backlog,
    private readonly environment: Environment,
    private readonly amlyze: AmlyzeClient,
    private readonly replica: Replica,
  ) {
    this.slots = new Slots(environment.syncCron);
  }

  async page(): Promise<StatusDto> {
    const snapshot = await this.backlog.snapshot();
    const endpoints = await findEndpoints(this.database, this.amlyze.configurationHash());
    const connections = await this.database.query<ConnectionRow>(CONNECTIONS, [MAX_CONNECTIONS]);
    const connectionsTotal = connections[0]?.total ?? 0;
    const [lastRun] = await this.database.query<{ id: string; slot: Date | null; outcomes: Record<string, number> }>(
      OUTCOMES,
    );
    const { states, oldestPendingAt, now } = snapshot;
    return {
      version,
      replica: this.replica.id,
      now: now.toISOString(),
      slots: {
        cron: this.environment.syncCron,
        last: snapshot.lastOpenedSlot?.toISOString() ?? null,
        lastFinished: snapshot.lastFinishedSlot?.toISOString() ?? null,
        next: this.slots.next(now).toISOString(),
      },
      amlyze: endpoints.map((endpoint) => ({
        endpoint: endpoint.endpoint,
        pause: endpoint.pause ?? null,
        reason: endpoint.pauseReason ?? null,
        since: endpoint.pausedSince?.toISOString() ?? null,
        until: endpoint.pausedUntil?.toISOString() ?? null,
        refusesThisReplica: endpoint.refusesThisReplica,
        lastSuccessAt: endpoint.lastSuccessAt?.toISOString() ?? null,
        batchLimit: endpoint.batchLimit ?? null,
      })),
      backlog: {
        states,
        oldestPendingAt: oldestPendingAt?.toISOString() ?? null,
        oldestPendingSeconds: oldestPendingAt ? Math.round((now.getTime() - oldestPendingAt.getTime()) / 1000) : 0,
      },
      connections: connections.map((row) => ({
        id: row.id,
        name: row.name,
        provider: row.provider,
        status: row.status,
        pauseReason: row.pause_reason,
        pausedBy: row.paused_by,
        notBefore: row.not_before && row.not_before > now ? row.not_before.toISOString() : null,
        ...toUnavailability(row),
        accounts: row.accounts,
        stoppedConsents: row.stopped_consents,
      })),
      connectionsTotal,
      connectionsTruncated: connectionsTotal > connections.length,
      operations: {
        import: this.environment.operationsImport ?? 'off',
        delivery: this.environment.operationsDelivery,
        preflight: this.environment.operationsPreflight,
        cardData: this.environment.cardData,
        cardDataRetentionHours: this.environment.cardDataRetention / 3_600_000,
      },
      accounts: lastRun
        ? { runId: lastRun.id, slot: lastRun.slot?.toISOString() ?? null, outcomes: lastRun.outcomes }
        : null,
    };
  }
}

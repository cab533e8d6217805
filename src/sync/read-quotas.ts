import { Injectable, Logger } from '@nestjs/common';
import { Environment } from '../config/environment';
import { ConnectionDirectory, type LoadedConnection } from '../connections/connection-directory';
import { Database } from '../shared/database';
import { isDatabaseUnavailable } from '../shared/database-failure';
import { BankHealth, SUSPENSION_MARGIN, type Permission } from './bank-health';
import type { ClaimedSubject, ReadClaims } from './claim-reads';
import { findDueConnections } from './due-connections';
import { grantCalls, returnCalls } from './pace';
import { ReadAhead } from './read-ahead';
import { shareSlots } from './share-slots';
import type { ClaimQuota, QueuePlace } from './subject-state';

/** A quota with the pace that it was granted under. */
interface PacedQuota extends ClaimQuota {
  requestsPerSecond: number | undefined;
}

export interface Quotas {
  /** False: no connection has an account that is due. */
  due: boolean;
  /** More than one connection wants calls. */
  contended: boolean;
  /** Free places by connection, before its pace and its bank's health were looked at. */
  shares: ReadonlyMap<string, number>;
  quotas: PacedQuota[];
  /** Probes that were taken, and until when, by connection. */
  probes: ReadonlyMap<string, string>;
  /** Where the pace of a connection holds reads back: until the next of them may start. */
  waitMs: number | undefined;
}

/** How long another connection that becomes due in mid-run may wait to be noticed. */
const DUE_KNOWN_MS = 1_000;

/** What a connection is asked with, or why it cannot be used. */
type Usable = { connection: LoadedConnection } | { broken: string };

/** Decides how many subjects of which connection may be claimed now: fair shares first, then each connection's pace. */
@Injectable()
export class ReadQuotas {
  readonly ahead = new ReadAhead();
  private readonly logger = new Logger(ReadQuotas.name);
  private readonly providerOf = new Map<string, string>();
  private due: { ids: string[]; atMs: number } | undefined;
  /** How far the claims have come in each connection's queue since the last search for due connections. */
  private reached = new Map<string, QueuePlace>();

  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
    private readonly directory: ConnectionDirectory,
    private readonly health: BankHealth,
  ) {}

  /**
   * @param held what this replica has claimed and not yet written; true where the bank has answered
   * @param served connections that have had their share of the free places just now and could not use it all
   * @param plenty the last look found more than could be claimed, so the same connections are most likely still due
   */
  async take(
    held: ReadonlyMap<ClaimedSubject, { answered: boolean }>,
    served: ReadonlySet<string>,
    plenty: boolean,
  ): Promise<Quotas> {
    const due = await this.findDue(plenty);
    // Before the failures are counted: a call that ends in between shall count as under way or as failed, or as both.
    const heldBy = countByConnection(held);
    const permissions = await this.health.permissions(due, this.environment.leaseSeconds);
    const wanting = due.filter((id) => permissions.get(id)?.kind !== 'waiting' && !served.has(id));
    const usable = new Map<string, Usable>();
    for (const id of wanting) usable.set(id, await this.use(id, permissions.get(id)));
    const contended = wanting.length + served.size > 1;
    const shares = this.share(wanting, heldBy, contended);
    const quotas = [...shares].flatMap(([connectionId, share]) => {
      const found = usable.get(connectionId);
      const at = { permission: permissions.get(connectionId), held: heldBy.get(connectionId)?.all ?? 0 };
      return found ? [toQuota(connectionId, found, { ...at, share })] : [];
    });
    const granted = await grantCalls(this.database, quotas.flatMap(toPacedCalls));
    const heldBack = quotas.flatMap(({ connectionId, quota }) => {
      const grant = granted.get(connectionId);
      return grant && grant.calls < quota ? [grant.waitMs] : [];
    });
    return {
      due: due.length > 0,
      contended,
      shares,
      quotas: quotas
        .map((quota) => {
          const after = this.reached.get(quota.connectionId);
          const calls = granted.get(quota.connectionId)?.calls ?? quota.quota;
          return { ...quota, quota: calls, ...(after && { after }) };
        })
        .filter((quota) => quota.quota > 0),
      probes: new Map(
        [...permissions].flatMap(([id, each]) => (each.kind === 'probe' ? [[id, each.until] as const] : [])),
      ),
      waitMs: least([
        ...heldBack,
        ...[...permissions.values()].flatMap((each) => (each.kind === 'waiting' ? [each.waitMs] : [])),
      ]),
    };
  }

  /**
   * Takes note of what a claim came to, and gives back what it has not turned into calls, so that the pace counts calls
   * and nothing else, and a bank's probe is made with the first account that may be asked about.
   */
  async settle({ quotas, probes }: Quotas, { subjects: claimed, reached }: ReadClaims): Promise<void> {
    for (const [connectionId, place] of reached) this.reached.set(connectionId, place);
    const made = new Map<string, number>();
    for (const { state, denial } of claimed)
      if (!denial) made.set(state.connectionId, (made.get(state.connectionId) ?? 0) + 1);
    const unused = quotas
      .flatMap(toPacedCalls)
      .map((paced) => ({ ...paced, calls: paced.calls - (made.get(paced.connectionId) ?? 0) }))
      .filter(({ calls }) => calls > 0);
    await returnCalls(this.database, unused);
    await this.health.returnProbes(new Map([...probes].filter(([connectionId]) => !made.has(connectionId))));
  }

  /** Name of the connection's provider, for metrics. */
  providerName(connectionId: string): string {
    return this.providerOf.get(connectionId) ?? 'unknown';
  }

  /** The search passes every reading that was finished since the last vacuum; in mid-run its answer hardly changes. */
  private async findDue(plenty: boolean): Promise<string[]> {
    const atMs = performance.now();
    if (!plenty || !this.due || atMs - this.due.atMs > DUE_KNOWN_MS) {
      this.due = { ids: await findDueConnections(this.database), atMs };
      this.reached.clear();
    }
    return this.due.ids;
  }

  /**
   * What is held within a connection's allowance takes no place from others, nor what only waits to be written, unless it
   * may be a failure that has to be counted first.
   */
  private share(
    wanting: readonly string[],
    heldBy: ReadonlyMap<string, Held>,
    contended: boolean,
  ): Map<string, number> {
    const beyondAhead = (id: string): number => {
      const allowance = this.ahead.allowance(id);
      const held = heldBy.get(id) ?? { all: 0, unanswered: 0 };
      return allowance > 0 ? held.unanswered - allowance : held.all;
    };
    let total = 0;
    for (const id of heldBy.keys()) total += Math.max(0, beyondAhead(id));
    const wishes = wanting.map((connectionId) => ({ connectionId, inFlight: beyondAhead(connectionId) }));
    return shareSlots(this.environment.syncConcurrency, wishes, total, contended);
  }

  /** A bank with a pace, in trouble, or counting failures gets no more claims than calls that start at once. */
  private async use(connectionId: string, permission: Permission | undefined): Promise<Usable> {
    try {
      const connection = await this.directory.load(connectionId);
      this.providerOf.set(connectionId, connection.provider.name);
      const healthy = permission === undefined || (permission.kind === 'free' && permission.failedInRow === 0);
      const { requestsPerSecond, settings } = connection;
      const unlimited = requestsPerSecond === undefined && settings.suspendAfterFailures === undefined;
      this.ahead.permit(connectionId, healthy && unlimited);
      return { connection };
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      const broken = `the connection cannot be used: ${error instanceof Error ? error.message : String(error)}`;
      this.logger.error({ msg: broken, connectionId });
      return { broken };
    }
  }
}

interface Held {
  all: number;
  unanswered: number;
}

function countByConnection(held: ReadonlyMap<ClaimedSubject, { answered: boolean }>): Map<string, Held> {
  const counts = new Map<string, Held>();
  for (const [{ state }, { answered }] of held) {
    const count = counts.get(state.connectionId) ?? { all: 0, unanswered: 0 };
    count.all += 1;
    if (!answered) count.unanswered += 1;
    counts.set(state.connectionId, count);
  }
  return counts;
}

function toQuota(
  connectionId: string,
  usable: Usable,
  { permission, held, share }: { permission: Permission | undefined; held: number; share: number },
): PacedQuota {
  if ('broken' in usable) {
    const denied = { outcome: 'GATEWAY_ERROR', reason: usable.broken } as const;
    const unknown = { accessScope: 'account', accessWindow: 'rolling-24h', timeZone: undefined } as const;
    return { ...unknown, connectionId, quota: share, requestsPerSecond: undefined, denied };
  }
  const { accessScope, accessWindow, settings, requestsPerSecond } = usable.connection;
  const common = { connectionId, accessScope, accessWindow, timeZone: settings.timeZone };
  if (permission?.kind === 'denied') {
    const { outcome, reason } = permission;
    // Nobody is asked, so neither the pace nor the patience of the bank matters.
    return { ...common, quota: share, requestsPerSecond: undefined, denied: { outcome, reason } };
  }
  const limit = permission?.kind === 'probe' ? 1 : share;
  const { suspendAfterFailures } = settings;
  if (suspendAfterFailures === undefined) return { ...common, quota: limit, requestsPerSecond };
  const borne = suspendAfterFailures - SUSPENSION_MARGIN;
  // The claim looks once more, at the calls of all replicas. What has no room beside this one's need not be granted by the pace.
  const failedInRow = permission && 'failedInRow' in permission ? permission.failedInRow : 0;
  const quota = Math.min(limit, Math.max(1, borne - failedInRow) - held);
  return { ...common, quota, failuresBorne: borne, requestsPerSecond };
}

function least(waitsMs: readonly number[]): number | undefined {
  return waitsMs.length > 0 ? Math.min(...waitsMs) : undefined;
}

function toPacedCalls({ connectionId, quota, requestsPerSecond }: PacedQuota): {
  connectionId: string;
  calls: number;
  requestsPerSecond: number;
}[] {
  return requestsPerSecond === undefined ? [] : [{ connectionId, calls: quota, requestsPerSecond }];
}

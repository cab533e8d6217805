import { Injectable, Logger } from '@nestjs/common';
import { Environment } from '../config/environment';
import { ConnectionDirectory } from '../connections/connection-directory';
import { Database } from '../shared/database';
import { isDatabaseUnavailable } from '../shared/database-failure';
import { BankHealth, SUSPENSION_MARGIN, type Permission } from './bank-health';
import type { ClaimedSubject } from './claim-reads';
import { findDueConnections } from './due-connections';
import { grantCalls, returnCalls } from './pace';
import { shareSlots } from './share-slots';
import type { ClaimQuota } from './subject-state';

/** A quota with the pace that it was granted under. */
interface PacedQuota extends ClaimQuota {
  requestsPerSecond: number | undefined;
}

export interface Quotas {
  /** False: no connection has an account that is due. */
  due: boolean;
  /** Free places by connection, before its pace and its bank's health were looked at. */
  shares: ReadonlyMap<string, number>;
  quotas: PacedQuota[];
  /** Where the pace of a connection holds reads back: until the next of them may start. */
  waitMs: number | undefined;
}

/** Decides how many subjects of which connection may be claimed now: fair shares first, then each connection's pace. */
@Injectable()
export class ReadQuotas {
  private readonly logger = new Logger(ReadQuotas.name);
  private readonly providerOf = new Map<string, string>();

  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
    private readonly directory: ConnectionDirectory,
    private readonly health: BankHealth,
  ) {}

  /** @param served connections that have had their share of the free places just now and could not use it all */
  async take(inFlight: Iterable<ClaimedSubject>, served: ReadonlySet<string>): Promise<Quotas> {
    const due = await findDueConnections(this.database);
    const calls = new Map<string, number>();
    let total = 0;
    for (const { state } of inFlight) {
      total += 1;
      calls.set(state.connectionId, (calls.get(state.connectionId) ?? 0) + 1);
    }
    const permissions = await this.health.permissions(due, this.environment.leaseSeconds);
    const wanting = due
      .filter((id) => permissions.get(id)?.kind !== 'waiting' && !served.has(id))
      .map((connectionId) => ({ connectionId, inFlight: calls.get(connectionId) ?? 0 }));
    const shares = shareSlots(this.environment.syncConcurrency, wanting, total, wanting.length + served.size > 1);
    const quotas = await Promise.all(
      [...shares].map(([connectionId, quota]) =>
        this.toQuota(connectionId, quota, {
          permission: permissions.get(connectionId),
          inFlight: calls.get(connectionId) ?? 0,
        }),
      ),
    );
    const granted = await grantCalls(this.database, quotas.flatMap(toPacedCalls));
    const held = quotas.flatMap(({ connectionId, quota }) => {
      const grant = granted.get(connectionId);
      return grant && grant.calls < quota ? [grant.waitMs] : [];
    });
    return {
      due: due.length > 0,
      shares,
      quotas: quotas
        .map((quota) => ({ ...quota, quota: granted.get(quota.connectionId)?.calls ?? quota.quota }))
        .filter((quota) => quota.quota > 0),
      waitMs: least([
        ...held,
        ...[...permissions.values()].flatMap((each) => (each.kind === 'waiting' ? [each.waitMs] : [])),
      ]),
    };
  }

  /** Gives back what the claim has not turned into calls, so that the pace counts calls and nothing else. */
  async giveBack({ quotas }: Quotas, claimed: readonly ClaimedSubject[]): Promise<void> {
    const made = new Map<string, number>();
    for (const { state, denial } of claimed)
      if (!denial) made.set(state.connectionId, (made.get(state.connectionId) ?? 0) + 1);
    const unused = quotas
      .flatMap(toPacedCalls)
      .map((paced) => ({ ...paced, calls: paced.calls - (made.get(paced.connectionId) ?? 0) }))
      .filter(({ calls }) => calls > 0);
    await returnCalls(this.database, unused);
  }

  /** Name of the connection's provider, for metrics. */
  providerName(connectionId: string): string {
    return this.providerOf.get(connectionId) ?? 'unknown';
  }

  private async toQuota(
    connectionId: string,
    share: number,
    { permission, inFlight }: { permission: Permission | undefined; inFlight: number },
  ): Promise<PacedQuota> {
    let quota = permission?.kind === 'probe' ? 1 : share;
    try {
      const { accessScope, accessWindow, settings, requestsPerSecond, provider } =
        await this.directory.load(connectionId);
      this.providerOf.set(connectionId, provider.name);
      quota = Math.min(quota, roomBeforeSuspension(settings.suspendAfterFailures, permission) - inFlight);
      const common = { connectionId, quota, accessScope, accessWindow, timeZone: settings.timeZone };
      if (permission?.kind !== 'given-up') return { ...common, requestsPerSecond };
      // Nobody is asked, so the pace of the bank does not matter.
      return {
        ...common,
        requestsPerSecond: undefined,
        denied: { outcome: 'BANK_UNAVAILABLE', reason: permission.reason },
      };
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      const broken = `the connection cannot be used: ${error instanceof Error ? error.message : String(error)}`;
      this.logger.error({ msg: broken, connectionId });
      const unknown = { accessScope: 'account', accessWindow: 'rolling-24h', timeZone: undefined } as const;
      return {
        ...unknown,
        connectionId,
        quota,
        requestsPerSecond: undefined,
        denied: { outcome: 'GATEWAY_ERROR', reason: broken },
      };
    }
  }
}

/** All calls under way may fail together, so there are never more than the failures that the bank still bears. */
function roomBeforeSuspension(suspendAfter: number | undefined, permission: Permission | undefined): number {
  if (suspendAfter === undefined) return Infinity;
  const failedInRow = permission?.kind === 'free' ? permission.failedInRow : 0;
  return Math.max(1, suspendAfter - SUSPENSION_MARGIN - failedInRow);
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

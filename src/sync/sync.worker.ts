import { Injectable, Logger } from '@nestjs/common';
import { Environment } from '../config/environment';
import { ConnectionDirectory } from '../connections/connection-directory';
import { DeliveryWorker } from '../delivery/delivery.worker';
import { Database } from '../shared/database';
import { DatabaseClock } from '../shared/database-clock';
import { Doorbell } from '../shared/doorbell';
import { GroupCommit } from '../shared/group-commit';
import { Metrics } from '../shared/metrics';
import { Replica } from '../shared/replica';
import { within } from '../shared/within';
import { claimReads, extendReadLeases, findDueConnections, type ClaimedSubject, type ClaimQuota } from './claim-reads';
import { Installation } from './installation';
import { grantCalls } from './pace';
import { finishRuns } from './runs';
import { shareSlots } from './share-slots';
import type { SubjectResult } from './subject-result';
import { SubjectReader } from './subject-reader';
import { writeReadings } from './write-readings';

const MAX_GROUP = 250;

/** Reads what is due: claims, calls and writes, with at most SYNC_CONCURRENCY calls under way in this replica. */
@Injectable()
export class SyncWorker {
  private readonly logger = new Logger(SyncWorker.name);
  private readonly bell = new Doorbell();
  private readonly inFlight = new Map<string, ClaimedSubject>();
  private readonly writes: GroupCommit<SubjectResult>;
  private readonly providerOf = new Map<string, string>();
  private stopping = false;
  private loop: Promise<void> | undefined;
  private renewal: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
    private readonly directory: ConnectionDirectory,
    private readonly reader: SubjectReader,
    private readonly installation: Installation,
    private readonly delivery: DeliveryWorker,
    private readonly clock: DatabaseClock,
    private readonly metrics: Metrics,
    private readonly replica: Replica,
  ) {
    this.writes = new GroupCommit((results) => this.write(results), MAX_GROUP);
  }

  start(): void {
    this.loop ??= this.work();
    const leaseMs = this.environment.leaseSeconds * 1000;
    this.renewal ??= setInterval(() => void this.renewLeases(), leaseMs / 3);
  }

  /** There may be something due: look now instead of at the next poll. */
  wake(): void {
    this.bell.ring();
  }

  /** Claims nothing more and waits for the reads under way; what is not done by then is taken over by its lease. */
  async stop(graceMs: number): Promise<void> {
    this.stopping = true;
    this.bell.ring();
    const deadline = performance.now() + graceMs;
    await within(graceMs, this.loop ?? Promise.resolve());
    while (this.inFlight.size > 0 && performance.now() < deadline) await delay(20);
    clearInterval(this.renewal);
    if (this.inFlight.size > 0)
      this.logger.warn({
        msg: 'reads were still under way at shutdown; their leases run out',
        reads: this.inFlight.size,
      });
  }

  private async work(): Promise<void> {
    while (!this.stopping) {
      const claimed = await this.claimSome();
      // A full house waits for a place; an empty queue waits for the poll.
      if (claimed === 0) await this.bell.wait(this.environment.pollIntervalMs);
    }
  }

  private async claimSome(): Promise<number> {
    try {
      if (this.inFlight.size >= this.environment.syncConcurrency) return 0;
      const quotas = await this.quotas();
      if (quotas.length === 0) return 0;
      const claimed = await claimReads(this.database, {
        quotas,
        replica: this.replica.id,
        leaseSeconds: this.environment.leaseSeconds,
      });
      for (const subject of claimed) {
        this.clock.set(subject.claimedAt);
        this.inFlight.set(subject.state.subjectId, subject);
        void this.readAndWrite(subject);
      }
      return claimed.length;
    } catch (error) {
      this.logger.error({ msg: 'due reads could not be claimed; trying again at the next poll', error: String(error) });
      return 0;
    }
  }

  private async quotas(): Promise<ClaimQuota[]> {
    const due = await findDueConnections(this.database);
    if (due.length === 0) {
      await this.finish();
      return [];
    }
    const calls = new Map<string, number>();
    for (const { state } of this.inFlight.values())
      calls.set(state.connectionId, (calls.get(state.connectionId) ?? 0) + 1);
    const shares = shareSlots(
      this.environment.syncConcurrency,
      due.map((connectionId) => ({ connectionId, inFlight: calls.get(connectionId) ?? 0 })),
      this.inFlight.size,
    );
    const quotas = await Promise.all([...shares].map(([connectionId, quota]) => this.toQuota(connectionId, quota)));
    const paced = quotas.filter(
      (quota): quota is ClaimQuota & { requestsPerSecond: number } => quota.requestsPerSecond !== undefined,
    );
    const granted = await grantCalls(this.database, paced);
    return quotas
      .map((quota) => ({ ...quota, quota: granted.get(quota.connectionId) ?? quota.quota }))
      .filter((quota) => quota.quota > 0);
  }

  private async toQuota(
    connectionId: string,
    quota: number,
  ): Promise<ClaimQuota & { requestsPerSecond: number | undefined }> {
    try {
      const { accessScope, accessWindow, settings, requestsPerSecond, provider } =
        await this.directory.load(connectionId);
      this.providerOf.set(connectionId, provider.name);
      return { connectionId, quota, accessScope, accessWindow, timeZone: settings.timeZone, requestsPerSecond };
    } catch (error) {
      const broken = `the connection cannot be used: ${error instanceof Error ? error.message : String(error)}`;
      this.logger.error({ msg: broken, connectionId });
      return {
        connectionId,
        quota,
        accessScope: 'account',
        accessWindow: 'rolling-24h',
        timeZone: undefined,
        requestsPerSecond: undefined,
        broken,
      };
    }
  }

  private async readAndWrite(subject: ClaimedSubject): Promise<void> {
    try {
      const result = await this.reader.read(subject);
      try {
        await this.writes.add(result);
      } catch (error) {
        await this.writes.add(this.reader.broken(subject, error));
      }
      if (result.repeatAfterMs !== undefined) setTimeout(() => this.wake(), result.repeatAfterMs + 20).unref();
    } catch (error) {
      // The database is away: nothing is lost, the lease runs out and another turn reads again.
      this.logger.error({
        msg: 'a reading could not be written',
        subjectId: subject.state.subjectId,
        error: String(error),
      });
    } finally {
      this.inFlight.delete(subject.state.subjectId);
      this.wake();
    }
  }

  private async write(results: readonly SubjectResult[]): Promise<void> {
    const written = await writeReadings(this.database, results, await this.installation.identity());
    for (const { providerConnectionId, outcome } of written.readings) {
      this.metrics.reads.inc({ provider: this.providerOf.get(providerConnectionId) ?? 'unknown', outcome });
    }
    if (written.records > 0) this.delivery.announce(written.records);
  }

  private async finish(): Promise<void> {
    for (const runId of await finishRuns(this.database)) this.logger.log({ msg: 'run finished', runId });
  }

  private async renewLeases(): Promise<void> {
    try {
      await extendReadLeases(this.database, [...this.inFlight.values()], this.environment.leaseSeconds);
    } catch (error) {
      this.logger.warn({ msg: 'leases of reads could not be renewed', error: String(error) });
    }
  }
}

async function delay(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

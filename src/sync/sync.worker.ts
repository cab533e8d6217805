import { Injectable, Logger } from '@nestjs/common';
import { Environment } from '../config/environment';
import { DeliveryWorker } from '../delivery/delivery.worker';
import { Database } from '../shared/database';
import { isDatabaseUnavailable } from '../shared/database-failure';
import { Doorbell } from '../shared/doorbell';
import { GroupCommit } from '../shared/group-commit';
import { Metrics } from '../shared/metrics';
import { Replica } from '../shared/replica';
import { within } from '../shared/within';
import { claimReads, extendReadLeases, type ClaimedSubject } from './claim-reads';
import { BankHealth } from './bank-health';
import { Installation } from './installation';
import { ReadQuotas, type Quotas } from './read-quotas';
import { finishRuns } from './runs';
import { SubjectReader } from './subject-reader';
import type { SubjectResult } from './subject-result';
import { writeReadings } from './write-readings';

const MAX_GROUP = 250;

/** Reads what is due: claims, calls and writes, with at most SYNC_CONCURRENCY calls under way in this replica. */
@Injectable()
export class SyncWorker {
  private readonly logger = new Logger(SyncWorker.name);
  private readonly bell = new Doorbell();
  private readonly inFlight = new Set<ClaimedSubject>();
  private readonly writes: GroupCommit<SubjectResult>;
  /** Results that wait for the database to come back. */
  private unwritten = 0;
  private stopping = false;
  private loop: Promise<void> | undefined;
  private renewal: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
    private readonly quotas: ReadQuotas,
    private readonly reader: SubjectReader,
    private readonly installation: Installation,
    private readonly health: BankHealth,
    private readonly delivery: DeliveryWorker,
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
      const { claimed, waitMs } = await this.claimSome();
      // A full house waits for a place; an empty queue waits for the poll.
      if (claimed === 0) await this.bell.wait(waitMs);
    }
  }

  /** How many subjects were claimed, and how long to wait where none was. */
  private async claimSome(): Promise<{ claimed: number; waitMs: number }> {
    const { pollIntervalMs, syncConcurrency } = this.environment;
    let claimed = 0;
    let waitMs = pollIntervalMs;
    // What was read and could not be written yet goes first: claiming it anew would cost a second read.
    if (this.inFlight.size >= syncConcurrency || this.unwritten > 0) return { claimed, waitMs };
    try {
      // Places that a connection cannot use (its accounts are held elsewhere, its bank is slow to be asked) are shared again.
      const served = new Set<string>();
      for (let before = -1; served.size > before;) {
        before = served.size;
        const quotas = await this.quotas.take(this.inFlight, served);
        if (!quotas.due) await this.finish();
        waitMs = Math.min(waitMs, quotas.waitMs ?? waitMs);
        const subjects = await this.claim(quotas);
        claimed += subjects.length;
        for (const [connectionId, share] of quotas.shares) {
          if (subjects.filter(({ state }) => state.connectionId === connectionId).length < share)
            served.add(connectionId);
        }
      }
    } catch (error) {
      this.logger.error({ msg: 'due reads could not be claimed; trying again at the next poll', error: String(error) });
    }
    return { claimed, waitMs };
  }

  private async claim(quotas: Quotas): Promise<ClaimedSubject[]> {
    if (quotas.quotas.length === 0) return [];
    const { leaseSeconds } = this.environment;
    const claimed = await claimReads(this.database, {
      quotas: quotas.quotas,
      replica: this.replica.id,
      leaseSeconds,
    });
    for (const subject of claimed) {
      this.inFlight.add(subject);
      void this.readAndWrite(subject);
    }
    await this.quotas.giveBack(quotas, claimed);
    return claimed;
  }

  private async readAndWrite(subject: ClaimedSubject): Promise<void> {
    try {
      const result = await this.reader.read(subject);
      await this.keep(result);
      if (result.repeatAfterMs !== undefined) setTimeout(() => this.wake(), result.repeatAfterMs + 20).unref();
    } catch (error) {
      // Nothing is lost: the lease runs out and another turn reads again.
      this.logger.error({
        msg: 'a reading could not be written',
        subjectId: subject.state.subjectId,
        error: String(error),
      });
    } finally {
      this.inFlight.delete(subject);
      this.wake();
    }
  }

  /** A read costs budget, so its result waits for a database that is away instead of being read again. */
  private async keep(result: SubjectResult): Promise<void> {
    try {
      return await this.writes.add(result);
    } catch (error) {
      if (!isDatabaseUnavailable(error)) return this.writes.add(this.reader.unwritable(result, error));
    }
    this.unwritten += 1;
    try {
      await this.keepTrying(result);
    } finally {
      this.unwritten -= 1;
    }
  }

  private async keepTrying(result: SubjectResult): Promise<void> {
    for (;;) {
      await delay(this.environment.pollIntervalMs);
      try {
        return await this.writes.add(result);
      } catch (error) {
        if (!isDatabaseUnavailable(error)) return this.writes.add(this.reader.unwritable(result, error));
        if (this.stopping) throw error;
      }
    }
  }

  private async write(results: readonly SubjectResult[]): Promise<void> {
    const written = await writeReadings(
      this.database,
      results,
      await this.installation.identity(),
      await this.health.recorder(results),
    );
    for (const { providerConnectionId, outcome } of written.readings) {
      this.metrics.reads.inc({ provider: this.quotas.providerName(providerConnectionId), outcome });
    }
    for (const { subject } of written.late) {
      const { subjectId, epoch } = subject.state;
      this.logger.warn({ msg: 'a reading came after its claim was lost; nothing of it is kept', subjectId, epoch });
    }
    if (written.records > 0) this.delivery.announce(written.records);
  }

  private async finish(): Promise<void> {
    for (const runId of await finishRuns(this.database)) this.logger.log({ msg: 'run finished', runId });
  }

  private async renewLeases(): Promise<void> {
    try {
      await extendReadLeases(this.database, [...this.inFlight], this.environment.leaseSeconds);
    } catch (error) {
      this.logger.warn({ msg: 'leases of reads could not be renewed', error: String(error) });
    }
  }
}

async function delay(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

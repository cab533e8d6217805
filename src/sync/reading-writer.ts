import { Injectable, Logger } from '@nestjs/common';
import { Installation } from '../amlyze/installation';
import { Environment } from '../config/environment';
import { DeliveryWorker } from '../delivery/delivery.worker';
import { Database } from '../shared/database';
import { isDatabaseUnavailable } from '../shared/database-failure';
import { GroupCommit } from '../shared/group-commit';
import { Metrics } from '../shared/metrics';
import { BankHealth } from './bank-health';
import { ReadQuotas } from './read-quotas';
import { SubjectReader } from './subject-reader';
import type { SubjectResult } from './subject-result';
import { Wordings } from './wordings';
import { writeReadings } from './write-readings';

const MAX_GROUP = 250;

/** Makes results durable, in groups. A read costs budget, so its result waits for a database that is away. */
@Injectable()
export class ReadingWriter {
  private readonly logger = new Logger(ReadingWriter.name);
  private readonly writes: GroupCommit<SubjectResult>;
  private unwritten = 0;
  private stopping = false;

  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
    private readonly quotas: ReadQuotas,
    private readonly reader: SubjectReader,
    private readonly installation: Installation,
    private readonly health: BankHealth,
    private readonly delivery: DeliveryWorker,
    private readonly metrics: Metrics,
    private readonly wordings: Wordings,
  ) {
    this.writes = new GroupCommit((results) => this.write(results), MAX_GROUP);
  }

  /** Results wait for the database to come back. */
  get blocked(): boolean {
    return this.unwritten > 0;
  }

  /** Results that still wait for the database fail from now on, instead of holding up the shutdown. */
  stop(): void {
    this.stopping = true;
  }

  /** No more results are on their way for now: the records of those that were kept need not wait for company. */
  flush(): void {
    this.delivery.flush();
  }

  /**
   * Calls back when the result is durable, or taken over by another holder of its claim; with the reason where it is lost. A callback
   * and not a promise, because hundreds of results wait here at any time.
   */
  keep(result: SubjectResult, done: (lost?: { reason: unknown }) => void): void {
    this.writes.add(result).then(
      () => done(),
      (error: unknown) =>
        this.insist(result, error).then(
          () => done(),
          (reason: unknown) => done({ reason }),
        ),
    );
  }

  private async insist(result: SubjectResult, failure: unknown): Promise<void> {
    let refusals = 0;
    let kept = result;
    let waits = false;
    let error = failure;
    try {
      for (;;) {
        if (isDatabaseUnavailable(error)) {
          if (waits && this.stopping) throw error;
          if (!waits) this.beginToWait(error);
          waits = true;
          await new Promise((resolve) => setTimeout(resolve, this.environment.pollIntervalMs));
        } else {
          // The first may be a deadlock, or a number that somebody else made meanwhile: the result is planned anew on what is
          // there now. The second is written in the result's place, so that the run ends.
          refusals += 1;
          if (refusals > 2) throw error;
          if (refusals === 2) kept = this.reader.unwritable(result, error);
        }
        try {
          return await this.writes.add(kept);
        } catch (again) {
          error = again;
        }
      }
    } finally {
      if (waits) this.unwritten -= 1;
    }
  }

  private beginToWait(error: unknown): void {
    // Once for all that wait: each of them fails for the same reason.
    if (!this.blocked) {
      this.logger.warn({
        msg: 'readings wait for the database; no account is read until they are written',
        error: String(error),
      });
    }
    this.unwritten += 1;
  }

  private async write(results: readonly SubjectResult[]): Promise<void> {
    const written = await writeReadings(this.database, results, {
      identity: await this.installation.identity(),
      stepsToJson: this.wordings.toJson,
      alsoKeep: await this.health.recorder(results),
    });
    await this.wordings.learn();
    for (const { connectionId, outcome } of written.readings) {
      this.metrics.reads.inc({ provider: this.quotas.providerName(connectionId), outcome });
    }
    for (const { subject } of written.late) {
      const { subjectId, epoch } = subject.state;
      this.logger.warn({
        msg: 'a reading came after its claim had ended: it is written already, or others read the account',
        subjectId,
        epoch,
      });
    }
    for (const result of written.stopped) this.tellOfStop(result);
    if (written.records > 0) this.delivery.announce(written.records);
  }

  /** The reason may hold the bank's words, which the log does not show; it stands at the connection or the consent. */
  private tellOfStop({ subject, readings, stop }: SubjectResult): void {
    const { connectionId, consentRowId: consentId } = subject.state;
    const outcome = readings.find((reading) => reading.outcome !== 'ACCOUNT_CLOSED')?.outcome;
    if (stop?.scope === 'connection') this.logger.error({ msg: 'a connection is paused', connectionId, outcome });
    else this.logger.warn({ msg: 'a consent is stopped', consentId, connectionId, outcome });
  }
}

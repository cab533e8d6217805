import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CronJob } from 'cron';
import { Environment } from '../config/environment';
import { BalanceLane } from '../delivery/balance-lane';
import { DeliveryWorker } from '../delivery/delivery.worker';
import { Database } from '../shared/database';
import { DatabaseClock } from '../shared/database-clock';
import { finishRuns, openScheduledRun } from '../sync/runs';
import { Slots } from '../sync/slots';
import { SyncWorker } from '../sync/sync.worker';

/** What is under way gets this long at shutdown; the whole exit stays within ten seconds. */
const GRACE_MS = 7_000;

/**
 * The poll that keeps everything going, and the cron job that only wakes it: which slot is due is asked of the database
 * clock at every beat, so a late tick, a skipped one or a wrong machine clock changes nothing.
 */
@Injectable()
export class Heartbeat implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Heartbeat.name);
  private readonly slots: Slots;
  private beating: Promise<void> | undefined;
  private stopped = false;
  private servedSlotMs: number | undefined;

  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
    private readonly scheduler: SchedulerRegistry,
    private readonly clock: DatabaseClock,
    private readonly sync: SyncWorker,
    private readonly delivery: DeliveryWorker,
    private readonly balances: BalanceLane,
  ) {
    this.slots = new Slots(environment.syncCron);
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.delivery.start([this.balances]);
    this.sync.start();
    const { pollIntervalMs, syncCron } = this.environment;
    const wake = CronJob.from({ cronTime: syncCron, timeZone: 'UTC', onTick: () => void this.beat(), start: true });
    this.scheduler.addCronJob('slots', wake);
    this.scheduler.addInterval(
      'poll',
      setInterval(() => void this.beat(), pollIntervalMs),
    );
    await this.beat();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    this.scheduler.deleteCronJob('slots');
    this.scheduler.deleteInterval('poll');
    await this.beating;
    await Promise.all([this.sync.stop(GRACE_MS), this.delivery.stop(GRACE_MS)]);
  }

  /** One beat at a time; a beat that fails is only logged, the next one comes. */
  private async beat(): Promise<void> {
    if (this.stopped || this.beating) return;
    this.beating = this.tend();
    try {
      await this.beating;
    } catch (error) {
      this.logger.error({ msg: 'a beat failed; the next one tries again', error: String(error) });
    } finally {
      this.beating = undefined;
    }
  }

  private async tend(): Promise<void> {
    const [row] = await this.database.query<{ now: Date }>('select now() as now');
    if (row) this.clock.set(row.now);
    const slot = row && this.slots.newest(row.now);
    const run = slot && slot.getTime() !== this.servedSlotMs ? await openScheduledRun(this.database, slot) : undefined;
    this.servedSlotMs = slot?.getTime();
    if (run) {
      this.logger.log({ msg: 'run opened', runId: run.runId, slot, accounts: run.accounts });
      this.sync.wake();
    }
    for (const runId of await finishRuns(this.database)) this.logger.log({ msg: 'run finished', runId });
    await this.delivery.tend();
  }
}

import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CronJob } from 'cron';
import { Environment } from '../config/environment';
import { BalanceLane } from '../delivery/balance-lane';
import { DeliveryWorker } from '../delivery/delivery.worker';
import { Database } from '../shared/database';
import { DatabaseClock } from '../shared/database-clock';
import { LastingTrouble } from '../shared/lasting-trouble';
import { Notices } from '../shared/notices';
import { Slots } from '../shared/slots';
import { within } from '../shared/within';
import { fillNextStep, finishRuns, isServed, openScheduledRun } from '../sync/runs';
import { SyncWorker } from '../sync/sync.worker';
import { tellFinished } from '../sync/tell-finished';
import { GRACE_MS } from './grace';

/** Part of a beat. Each fails, and takes its time, for itself; one that is still under way is not begun again. */
interface Duty {
  name: string;
  work: () => Promise<void>;
  trouble: LastingTrouble;
  underWay: Promise<void> | undefined;
}

/**
 * The poll that keeps everything going, and the cron job that only wakes it: which slot is due is asked of the database
 * clock at every beat, so a late tick, a skipped one or a wrong machine clock changes nothing.
 */
@Injectable()
export class Heartbeat implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Heartbeat.name);
  private readonly slots: Slots;
  private readonly duties = [
    this.duty('open the run of a slot', () => this.openSlot()),
    this.duty('finish runs', () => this.finishRuns()),
    this.duty('tend the delivery', () => this.delivery.tend()),
    this.duty('hear other replicas', () => this.notices.tend()),
  ];
  private stopped = false;
  /** The newest slot that was found served, and the sessions opened by then: a server after a failover may not have its run. */
  private served: { slotMs: number; sessions: number } | undefined;

  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
    private readonly scheduler: SchedulerRegistry,
    private readonly clock: DatabaseClock,
    private readonly notices: Notices,
    private readonly sync: SyncWorker,
    private readonly delivery: DeliveryWorker,
    private readonly balances: BalanceLane,
  ) {
    this.slots = new Slots(environment.syncCron);
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.delivery.start([this.balances]);
    this.sync.start();
    this.notices.on('reads-due', () => this.sync.wake());
    const { pollIntervalMs, syncCron } = this.environment;
    const wake = CronJob.from({ cronTime: syncCron, timeZone: 'UTC', onTick: () => void this.beat(), start: true });
    this.scheduler.addCronJob('slots', wake);
    this.scheduler.addInterval(
      'poll',
      setInterval(() => void this.beat(), pollIntervalMs),
    );
    // Not awaited: nothing listens before this hook is done, and to fill the run of a slot can take minutes.
    void this.beat();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    // Neither is there where the start was broken off.
    if (this.scheduler.doesExist('cron', 'slots')) this.scheduler.deleteCronJob('slots');
    if (this.scheduler.doesExist('interval', 'poll')) this.scheduler.deleteInterval('poll');
    // Side by side: a duty that is held up must not keep the workers reading and sending meanwhile.
    await Promise.all([
      this.sync.stop(GRACE_MS),
      this.delivery.stop(GRACE_MS),
      within(GRACE_MS, Promise.all(this.duties.flatMap(({ underWay }) => underWay ?? []))),
    ]);
  }

  private duty(name: string, work: () => Promise<void>): Duty {
    const trouble = new LastingTrouble(this.logger, {
      fails: 'a beat failed; the next ones try again',
      works: 'a beat works again',
    });
    return { name, work, trouble, underWay: undefined };
  }

  private async beat(): Promise<void> {
    await Promise.all(this.duties.map((duty) => this.attend(duty)));
  }

  private async attend(duty: Duty): Promise<void> {
    if (this.stopped || duty.underWay) return;
    const { name, work, trouble } = duty;
    duty.underWay = work().then(
      () => trouble.worked({ duty: name }),
      (error: unknown) => trouble.failed(error, { duty: name }),
    );
    await duty.underWay;
    duty.underWay = undefined;
  }

  private async openSlot(): Promise<void> {
    const [row] = await this.database.query<{ now: Date }>('select now() as now');
    if (!row) return;
    this.clock.set(row.now);
    const slot = this.slots.newest(row.now);
    if (slot && !this.isKnownServed(slot)) await this.openRunOf(slot);
    await this.fillRuns();
  }

  private isKnownServed(slot: Date): boolean {
    return this.served?.slotMs === slot.getTime() && this.served.sessions === this.database.sessionsOpened;
  }

  private async openRunOf(slot: Date): Promise<void> {
    // From before the questions: a session that is opened meanwhile may be with another server than the one that answered.
    const sessions = this.database.sessionsOpened;
    const run = await openScheduledRun(this.database, slot);
    if (run) {
      this.logger.log({ msg: 'run opened', runId: run.runId, slot, accounts: run.accounts });
      this.sync.wake();
    }
    // Not served where somebody else is just opening a run: that one may still fail.
    if (run || (await isServed(this.database, slot))) this.served = { slotMs: slot.getTime(), sessions };
  }

  /** Also a run that a replica opened which is no more. What is in it already is read meanwhile. */
  private async fillRuns(): Promise<void> {
    while (!this.stopped) {
      const step = await fillNextStep(this.database);
      if (!step) return;
      this.sync.wake();
      if (step.complete) this.logger.log({ msg: 'run filled', runId: step.runId, accounts: step.accounts });
    }
  }

  private async finishRuns(): Promise<void> {
    tellFinished(this.logger, await finishRuns(this.database));
  }
}

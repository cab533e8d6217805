import { CronTime } from 'cron';

/** The instants of a cron expression, in UTC. Pure: the caller brings the time, and it comes from the database clock. */
export class Slots {
  private readonly cron: CronTime;

  constructor(expression: string) {
    this.cron = new CronTime(expression, 'UTC');
  }

  /** The first slot after `now`. */
  next(now: Date): Date {
    return this.cron.getNextDateFrom(now, 'UTC').toJSDate();
  }

  /** The newest slot that is not after `now`; undefined when there was none within four years. */
  newest(now: Date): Date | undefined {
    for (const lookBackMs of LOOK_BACKS_MS) {
      let slot = this.next(new Date(now.getTime() - lookBackMs));
      if (slot > now) continue;
      for (let after = this.next(slot); after <= now; after = this.next(slot)) slot = after;
      return slot;
    }
    return undefined;
  }
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** cron only looks forward, so the newest slot is found from a start that lies just far enough back. */
const LOOK_BACKS_MS = [
  5_000,
  MINUTE_MS,
  60 * MINUTE_MS,
  DAY_MS,
  8 * DAY_MS,
  32 * DAY_MS,
  366 * DAY_MS,
  4 * 366 * DAY_MS,
];

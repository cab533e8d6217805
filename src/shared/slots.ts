import { CronTime } from 'cron';

/** The instants of a cron expression, in UTC. The caller brings the time, and it comes from the database clock. */
export class Slots {
  private readonly cron: CronTime;
  /** The last answer, and the time in which it stays true. */
  private found: { newest: Date | undefined; from: Date; until: Date } | undefined;

  constructor(expression: string) {
    this.cron = new CronTime(expression, 'UTC');
  }

  /** The first slot after `now`. */
  next(now: Date): Date {
    return this.cron.getNextDateFrom(now, 'UTC').toJSDate();
  }

  /** The newest slot that is not after `now`; undefined when there was none within four years. */
  newest(now: Date): Date | undefined {
    // Asked at every poll, and finding the slot of a rare expression takes a tenth of a second.
    if (!this.found || now < this.found.from || now >= this.found.until) {
      const newest = this.find(now);
      this.found = { newest, from: newest ?? now, until: this.next(now) };
    }
    return this.found.newest;
  }

  private find(now: Date): Date | undefined {
    for (const lookBackMs of LOOK_BACKS_MS) {
      const slot = this.next(new Date(now.getTime() - lookBackMs));
      if (slot <= now) return this.lastUpTo(now, slot);
    }
    return undefined;
  }

  /** Halves the time between a slot and `now`: an expression may have thousands of slots there, each costly to find. */
  private lastUpTo(now: Date, slot: Date): Date {
    let newest = slot;
    let end = now.getTime();
    while (end - newest.getTime() >= SECOND_MS) {
      const middle = newest.getTime() + Math.floor((end - newest.getTime()) / 2);
      const after = this.next(new Date(middle));
      if (after <= now) newest = after;
      else end = middle;
    }
    // Slots lie on whole seconds, so at most one is left between the two.
    const after = this.next(newest);
    return after <= now ? after : newest;
  }
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** cron only looks forward, so the newest slot is found from a start that lies just far enough back. */
const LOOK_BACKS_MS = [MINUTE_MS, 60 * MINUTE_MS, DAY_MS, 8 * DAY_MS, 32 * DAY_MS, 366 * DAY_MS, 4 * 366 * DAY_MS];

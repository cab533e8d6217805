import { Injectable } from '@nestjs/common';

/**
 * The database's time without a round trip: the last one seen plus what the monotonic clock says has passed since. The
 * machine's own wall clock may be wrong by minutes; leases, slots and instants must not depend on it.
 */
@Injectable()
export class DatabaseClock {
  private seen: { at: number; monotonicMs: number } | undefined;

  /** Takes a `now()` that has just come from the database. */
  set(now: Date): void {
    this.seen = { at: now.getTime(), monotonicMs: performance.now() };
  }

  /** The machine's clock stands in until the database has been heard once. */
  now(): Date {
    if (!this.seen) return new Date();
    return new Date(this.seen.at + performance.now() - this.seen.monotonicMs);
  }
}

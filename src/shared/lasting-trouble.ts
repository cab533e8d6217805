import type { Logger } from '@nestjs/common';
import { databaseFailureText } from './database-failure';

/** A trouble that goes on is told again after this time. */
const TELL_EVERY_MS = 60_000;
/** So many reasons in that time; where every failure has another, the first ones say enough. */
const MAX_REASONS = 10;

/** Words for the log. */
export interface TroubleWords {
  fails: string;
  works: string;
}

/**
 * Work on the database that is tried again and again tells when it begins to fail, every minute of each reason once, and when it works
 * again: an outage of an hour must not be thousands of lines, in which the one that matters is lost.
 */
export class LastingTrouble {
  private trouble: { sinceMs: number; failures: number; told: Set<string>; minuteBeganMs: number } | undefined;

  /** @param nowMs monotonic clock */
  constructor(
    private readonly logger: Pick<Logger, 'log' | 'error'>,
    private readonly words: TroubleWords,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  failed(reason: unknown, fields: object = {}): void {
    const nowMs = this.nowMs();
    const error = databaseFailureText(reason);
    const trouble = (this.trouble ??= { sinceMs: nowMs, failures: 0, told: new Set(), minuteBeganMs: nowMs });
    trouble.failures += 1;
    if (nowMs - trouble.minuteBeganMs >= TELL_EVERY_MS) {
      trouble.told.clear();
      trouble.minuteBeganMs = nowMs;
    }
    if (trouble.told.has(error) || trouble.told.size >= MAX_REASONS) return;
    trouble.told.add(error);
    this.logger.error({ msg: this.words.fails, ...fields, error, ...soFar(trouble, nowMs) });
  }

  worked(fields: object = {}): void {
    if (this.trouble === undefined) return;
    this.logger.log({ msg: this.words.works, ...fields, ...soFar(this.trouble, this.nowMs()) });
    this.trouble = undefined;
  }
}

function soFar({ sinceMs, failures }: { sinceMs: number; failures: number }, nowMs: number): object {
  return { failures, seconds: Math.round((nowMs - sinceMs) / 100) / 10 };
}

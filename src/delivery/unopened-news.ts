import type { Logger } from '@nestjs/common';

const TELL_EVERY_MS = 60_000;

/**
 * Operations that cannot be opened are tried again and again, and a lost key can be that of thousands: told when they begin, and once a
 * minute how many times it happened. The reason of each is in its attempts.
 */
export class UnopenedNews {
  private times = 0;
  private toldAtMs = -Infinity;

  /** @param nowMs monotonic clock */
  constructor(
    private readonly logger: Pick<Logger, 'error'>,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** One record was not sent, because its frozen request does not open. */
  tell(endpoint: string, detail: string): void {
    this.times += 1;
    const nowMs = this.nowMs();
    if (nowMs - this.toldAtMs < TELL_EVERY_MS) return;
    this.logger.error({
      msg: 'operations are not sent and are charged attempts: they do not open',
      endpoint,
      times: this.times,
      detail,
    });
    this.toldAtMs = nowMs;
    this.times = 0;
  }
}

/** How much a simulator can serve, for measurements: `concurrent` calls at a time, each taking its time. */
export interface CapacityLimit {
  concurrent: number;
  msPerCall: number;
  /** added for every item of a batch; 0 by default */
  msPerItem: number;
}

/** A turnstile: callers beyond the limit wait in the order they came. */
export class Capacity {
  limit: CapacityLimit | undefined;
  private inside = 0;
  private readonly waiting: (() => void)[] = [];

  async enter(): Promise<void> {
    this.inside += 1;
    if (this.limit === undefined || this.inside <= this.limit.concurrent) return;
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  leave(): void {
    this.inside -= 1;
    this.waiting.shift()?.();
  }

  /** How long one call of that many items is being served. */
  serviceMs(items: number): number {
    return this.limit === undefined ? 0 : this.limit.msPerCall + this.limit.msPerItem * items;
  }

  /** Sets or lifts the limit; whoever waits now is let in. */
  change(limit: CapacityLimit | undefined): void {
    this.limit = limit;
    for (const letIn of this.waiting.splice(0)) letIn();
  }
}

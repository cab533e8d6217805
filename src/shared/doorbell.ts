/** Lets a worker sleep until there is work or a time has passed; rings that come while nobody waits are kept. */
export class Doorbell {
  private rung = 0;
  private waiters: (() => void)[] = [];

  /** Wakes up to `workers` sleepers now, or the next ones that would go to sleep. */
  ring(workers = 1): void {
    for (let i = 0; i < workers; i++) {
      const waiter = this.waiters.shift();
      if (waiter) waiter();
      else if (this.rung < workers) this.rung += 1;
    }
  }

  /** Resolves at a ring with true, or after `timeoutMs` with false, whichever is first. */
  async wait(timeoutMs: number): Promise<boolean> {
    if (this.rung > 0) {
      this.rung -= 1;
      return true;
    }
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(() => {
        this.waiters = this.waiters.filter((waiter) => waiter !== wake);
        resolve(false);
      }, timeoutMs);
      this.waiters.push(wake);
    });
  }
}

/** Lets a worker sleep until there is work or a time has passed; rings that come while nobody waits are kept. */
export class Doorbell {
  private rung = 0;
  private waiters: ((rung: boolean) => void)[] = [];

  /** Wakes up to `workers` sleepers now, or the next ones that would go to sleep. */
  ring(workers = 1): void {
    for (let i = 0; i < workers; i++) {
      const waiter = this.waiters.shift();
      if (waiter) waiter(true);
      else if (this.rung < workers) this.rung += 1;
    }
  }

  /** Wakes one sleeper as if its time were up; where nobody sleeps nothing is kept. */
  nudge(): void {
    this.waiters.shift()?.(false);
  }

  /** Resolves at a ring with true, or after `timeoutMs` or at a nudge with false, whichever is first. */
  async wait(timeoutMs: number): Promise<boolean> {
    if (this.rung > 0) {
      this.rung -= 1;
      return true;
    }
    return new Promise((resolve) => {
      const wake = (rung: boolean): void => {
        clearTimeout(timer);
        resolve(rung);
      };
      const timer = setTimeout(() => {
        this.waiters = this.waiters.filter((waiter) => waiter !== wake);
        resolve(false);
      }, timeoutMs);
      this.waiters.push(wake);
    });
  }
}

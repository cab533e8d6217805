const DAY_MS = 86_400_000;

/** How often each account was read without its owner being present, in the last 24 hours. */
export class ReadBudget {
  private reads = new Map<string, number[]>();

  /** Counts a read and says whether it was within the limit; a refused one is not counted. */
  take(subject: string, limit: number, now: number): boolean {
    const recent = (this.reads.get(subject) ?? []).filter((at) => at > now - DAY_MS);
    const allowed = recent.length < limit;
    if (allowed) recent.push(now);
    this.reads.set(subject, recent);
    return allowed;
  }

  clear(): void {
    this.reads = new Map();
  }
}

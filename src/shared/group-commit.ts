/**
 * Writes items in groups: while one group is being committed the next one gathers, so the group's size follows the load
 * and no timer is needed. When a group fails its items are written one by one, so that only the guilty one fails.
 */
export class GroupCommit<T, R = void> {
  private waiting: { item: T; resolve: (result: R) => void; reject: (error: unknown) => void }[] = [];
  private writing = false;

  /** `maxItems` bounds one group; `write` must be all or nothing. */
  constructor(
    private readonly write: (items: readonly T[]) => Promise<R>,
    private readonly maxItems: number,
  ) {}

  /** Resolves with its group's result when the item is durable; rejects with what writing it alone met. */
  add(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (!this.writing) void this.drain();
    });
  }

  private async drain(): Promise<void> {
    this.writing = true;
    // Let everything that is ready in this turn of the event loop join the first group.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      const group = this.waiting.splice(0, this.maxItems);
      try {
        const result = await this.write(group.map(({ item }) => item));
        for (const { resolve } of group) resolve(result);
      } catch (error) {
        if (group.length === 1) group[0]?.reject(error);
        else await this.writeOneByOne(group);
      }
    }
    this.writing = false;
  }

  private async writeOneByOne(group: typeof this.waiting): Promise<void> {
    for (const { item, resolve, reject } of group) {
      try {
        resolve(await this.write([item]));
      } catch (error) {
        reject(error);
      }
    }
  }
}

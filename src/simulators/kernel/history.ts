const BLOCK = 8192;

/**
 * An append-only list with a bounded length. Positions count from the first entry ever, so that a reader who pages
 * through it is not confused by entries that were dropped meanwhile. The oldest go a block of 8192 at a time.
 */
export class History<T> {
  private blocks: T[][] = [];
  private dropped = 0;
  private length = 0;

  constructor(
    private readonly capacity: number,
    private readonly onDrop: (entry: T) => void = () => undefined,
  ) {}

  /** The position of the next entry; also how many there ever were. */
  get end(): number {
    return this.length;
  }

  /** The position of the oldest entry that is still there. */
  get start(): number {
    return this.dropped;
  }

  append(entry: T): number {
    let block = this.blocks.at(-1);
    if (block === undefined || block.length === BLOCK) {
      block = [];
      this.blocks.push(block);
      if ((this.blocks.length - 2) * BLOCK >= this.capacity) this.dropOldest();
    }
    block.push(entry);
    this.length += 1;
    return this.length - 1;
  }

  at(position: number): T | undefined {
    const index = position - this.dropped;
    return index < 0 ? undefined : this.blocks[Math.floor(index / BLOCK)]?.[index % BLOCK];
  }

  clear(): void {
    this.blocks = [];
    this.dropped = 0;
    this.length = 0;
  }

  private dropOldest(): void {
    const oldest = this.blocks.shift() ?? [];
    this.dropped += oldest.length;
    oldest.forEach(this.onDrop);
  }
}

/** Remembers at least the last `capacity` texts and at most twice as many: two generations, the older one is let go. */
export class RecentSet {
  private current = new Set<string>();
  private previous = new Set<string>();

  constructor(private readonly capacity: number) {}

  /** False where the text was there already. */
  add(text: string): boolean {
    if (this.current.has(text) || this.previous.has(text)) return false;
    if (this.current.size >= this.capacity) {
      this.previous = this.current;
      this.current = new Set();
    }
    this.current.add(text);
    return true;
  }

  clear(): void {
    this.current = new Set();
    this.previous = new Set();
  }
}

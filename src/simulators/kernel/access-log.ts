/** One request as the access log shows it. Never a header's value, never a body. */
export interface AccessEntry {
  no: number;
  at: string;
  method: string;
  path: string;
  /** lower case, in the order they came, joined by a comma */
  headerNames: string;
  /** 0: no answer yet, or the connection was closed without one */
  status: number;
  account: string;
  requestId: string;
  /** how many items a batch had; 0 where there is no list */
  items: number;
  /** null while the request is still worked on */
  durationMs: number | null;
  /** the reason of a refusal or the faults that fired */
  note: string;
}

const BLOCK = 16_384;
const INTERNED = 60_000;
const OPEN = -1;

/** Columns, not objects: an entry is some 40 bytes and its request id, and a million of them cost the collector nothing. */
class Block {
  readonly at = new Float64Array(BLOCK);
  readonly durationUs = new Int32Array(BLOCK).fill(OPEN);
  readonly status = new Uint16Array(BLOCK);
  readonly method = new Uint16Array(BLOCK);
  readonly path = new Uint16Array(BLOCK);
  readonly headerNames = new Uint16Array(BLOCK);
  readonly note = new Uint16Array(BLOCK);
  readonly items = new Uint32Array(BLOCK);
  readonly account: string[] = [];
  readonly requestId: string[] = [];
}

/** Texts that repeat (methods, paths, header sets) are kept once and named by number. */
class Interned {
  private readonly numbers = new Map<string, number>();
  private readonly texts: string[] = [];

  number(text: string): number {
    const known = this.numbers.get(text);
    if (known !== undefined) return known;
    // Somebody who invents a new path with every request must not make the simulator grow without end.
    const kept = this.texts.length < INTERNED ? text : '(too many different ones)';
    const number = this.numbers.get(kept) ?? this.texts.push(kept) - 1;
    this.numbers.set(kept, number);
    return number;
  }

  text(number: number): string {
    return this.texts[number] ?? '';
  }
}

export interface Filter {
  account?: string;
  status?: number;
  path?: string;
  /** milliseconds since the epoch */
  since?: number;
}

/** A log of every request received; at least the last `capacity` entries are kept, and a block of 16,384 more at most. */
export class AccessLog {
  private blocks: Block[] = [];
  private firstBlock = 0;
  private length = 0;
  private interned = new Interned();

  constructor(private readonly capacity: number) {}

  get end(): number {
    return this.length;
  }

  get start(): number {
    return this.firstBlock * BLOCK;
  }

  begin(entry: { at: number; method: string; path: string; headerNames: string; account: string }): number {
    const index = this.length % BLOCK;
    if (index === 0) {
      this.blocks.push(new Block());
      if ((this.blocks.length - 2) * BLOCK >= this.capacity) {
        this.blocks.shift();
        this.firstBlock += 1;
      }
    }
    const block = this.blocks.at(-1);
    if (block !== undefined) {
      block.at[index] = entry.at;
      block.method[index] = this.interned.number(entry.method);
      block.path[index] = this.interned.number(entry.path);
      block.headerNames[index] = this.interned.number(entry.headerNames);
      block.note[index] = this.interned.number('');
      block.account[index] = entry.account;
      block.requestId[index] = '';
    }
    this.length += 1;
    return this.length - 1;
  }

  describe(no: number, seen: { account: string; requestId: string; items: number }): void {
    const block = this.block(no);
    if (block === undefined) return;
    block.account[no % BLOCK] = seen.account;
    block.requestId[no % BLOCK] = seen.requestId;
    block.items[no % BLOCK] = seen.items;
  }

  finish(no: number, end: { status: number; durationMs: number; note: string }): void {
    const block = this.block(no);
    if (block === undefined) return;
    block.status[no % BLOCK] = end.status;
    block.durationUs[no % BLOCK] = Math.min(Math.round(end.durationMs * 1000), 0x7fffffff);
    if (end.note !== '') block.note[no % BLOCK] = this.interned.number(end.note);
  }

  /** Up to `limit` entries from position `offset` on that pass the filter, and the position to go on from. */
  page(offset: number, limit: number, filter: Filter): { items: AccessEntry[]; next: number } {
    const items: AccessEntry[] = [];
    let no = Math.max(offset, this.start);
    for (; no < this.length && items.length < limit; no += 1) {
      const entry = this.entry(no);
      if (entry !== undefined && passes(entry, filter)) items.push(entry);
    }
    return { items, next: no };
  }

  clear(): void {
    this.blocks = [];
    this.firstBlock = 0;
    this.length = 0;
    this.interned = new Interned();
  }

  private block(no: number): Block | undefined {
    const index = Math.floor(no / BLOCK) - this.firstBlock;
    return no >= this.length || index < 0 ? undefined : this.blocks[index];
  }

  private entry(no: number): AccessEntry | undefined {
    const block = this.block(no);
    if (block === undefined) return undefined;
    const index = no % BLOCK;
    const account = block.account[index] ?? '';
    const durationUs = block.durationUs[index] ?? OPEN;
    return {
      no,
      at: new Date(block.at[index] ?? 0).toISOString(),
      method: this.interned.text(block.method[index] ?? 0),
      path: this.interned.text(block.path[index] ?? 0).replace('{account}', () => account),
      headerNames: this.interned.text(block.headerNames[index] ?? 0),
      status: block.status[index] ?? 0,
      account,
      requestId: block.requestId[index] ?? '',
      items: block.items[index] ?? 0,
      durationMs: durationUs === OPEN ? null : durationUs / 1000,
      note: this.interned.text(block.note[index] ?? 0),
    };
  }
}

function passes(entry: AccessEntry, filter: Filter): boolean {
  return (
    (filter.account === undefined || entry.account === filter.account) &&
    (filter.status === undefined || entry.status === filter.status) &&
    (filter.path === undefined || entry.path.includes(filter.path)) &&
    (filter.since === undefined || Date.parse(entry.at) >= filter.since)
  );
}

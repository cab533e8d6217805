/** A connection's reads may be claimed as far ahead as its bank answers in this time. */
const HORIZON_MS = 100;
const MAX_AHEAD = 500;
/** So many answers are looked back at; fewer than the least say nothing about a rate. */
const LOOK_BACK = 256;
const LEAST_ANSWERS = 8;
/** After such a time without a call the bank's rate is that of the calls that follow. */
const PAUSE_MS = 1_000;

/**
 * How many subjects of a connection a replica may hold beyond the calls that it can have under way. A claim costs a
 * commit, so a quick bank would wait for claims most of the time; a slow one needs a few in hand for the moment a call
 * ends. What is ahead is in the budget's ledger already, so it is never more than a tenth of a second's work: that is what a
 * crash can cost.
 */
export class ReadAhead {
  private readonly answers = new Map<string, Answers>();
  private readonly forbidden = new Set<string>();

  /** @param nowMs monotonic clock */
  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  /** A read of the connection begins; it ends with `answered` or `troubled`. */
  asked(connectionId: string): void {
    const answers = this.answers.get(connectionId) ?? new Answers();
    this.answers.set(connectionId, answers);
    answers.asked(this.nowMs());
  }

  /** The bank answered. */
  answered(connectionId: string): void {
    this.answers.get(connectionId)?.answered(this.nowMs());
  }

  /** The bank is in trouble, or refuses: nothing is claimed ahead until it has answered a while. */
  troubled(connectionId: string): void {
    this.answers.get(connectionId)?.failed(this.nowMs());
  }

  /** Whether the connection's settings and its bank's health let reads be claimed ahead at all. */
  permit(connectionId: string, permitted: boolean): void {
    if (permitted) this.forbidden.delete(connectionId);
    else this.forbidden.add(connectionId);
  }

  allowance(connectionId: string): number {
    if (this.forbidden.has(connectionId)) return 0;
    const rate = this.answers.get(connectionId)?.perMs(this.nowMs()) ?? 0;
    return Math.min(MAX_AHEAD, Math.floor(rate * HORIZON_MS));
  }

  /** Of all connections together. */
  get total(): number {
    let total = 0;
    for (const connectionId of this.answers.keys()) total += this.allowance(connectionId);
    return total;
  }
}

/** Times of the last answers, in a ring. */
class Answers {
  private readonly times = new Float64Array(LOOK_BACK);
  private count = 0;
  private underWay = 0;
  /** When the calls began whose answers are counted: those of a slow bank's first calls come all at once, and late. */
  private sinceMs = 0;
  private lastMs = -Infinity;

  asked(atMs: number): void {
    if (this.underWay === 0 && atMs - this.lastMs >= PAUSE_MS) this.beginAnew(atMs);
    this.underWay += 1;
  }

  answered(atMs: number): void {
    this.ended(atMs);
    this.times[this.count % LOOK_BACK] = atMs;
    this.count += 1;
  }

  failed(atMs: number): void {
    this.ended(atMs);
    this.beginAnew(atMs);
  }

  /** Silence counts too: the rate sinks while nothing is answered. */
  perMs(nowMs: number): number {
    if (this.count < LEAST_ANSWERS) return 0;
    const looked = Math.min(this.count, LOOK_BACK);
    const oldestMs = this.count > LOOK_BACK ? (this.times[this.count % LOOK_BACK] ?? nowMs) : this.sinceMs;
    return looked / Math.max(1, nowMs - oldestMs);
  }

  private ended(atMs: number): void {
    this.underWay -= 1;
    this.lastMs = atMs;
  }

  private beginAnew(atMs: number): void {
    this.count = 0;
    this.sinceMs = atMs;
  }
}

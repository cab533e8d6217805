import { Doorbell } from '../shared/doorbell';
import type { Turn } from './delivery.service';

/** How long a batch may gather before it goes out although it is not full. */
export const GATHER_MS = 250;

/** Why a worker looks: a full batch was announced, or there may be any number of records that are due. */
export type Reason = 'announced' | 'due';

export interface LookoutOptions {
  batchSize: number;
  /** Milliseconds between two looks where nothing is announced. */
  pollIntervalMs: number;
  /** In place of GATHER_MS. */
  gatherMs?: number;
  /** How long announcements alone may say when to look, where they come without a pause; 2 s. */
  searchEveryMs?: number;
}

/**
 * Tells the workers of one lane when to look for due records. A call to AMLYZE, its claim and its settlement cost nearly the same for ten
 * records as for 500, so what this replica writes goes out in full batches while it comes quickly, and after a short time
 * where it does not.
 */
export class Lookout {
  private readonly bell = new Doorbell();
  /** Full batches that were announced and that nobody has looked for yet. */
  private batches = 0;
  /** Announced records beyond those. */
  private gathered = 0;
  private gathering: NodeJS.Timeout | undefined;
  /** When somebody last looked for more than was announced. */
  private searchedAtMs = -Infinity;
  private stopping = false;

  constructor(private readonly options: LookoutOptions) {}

  /** Records were put into the outbox: one worker a full batch looks at once, the rest has time to gather. */
  announce(records: number): void {
    const { batchSize } = this.options;
    this.gathered += records;
    // What is left beyond a full batch came just now, so its time begins now.
    if (this.gathered >= batchSize) this.endGathering();
    for (; this.gathered >= batchSize; this.gathered -= batchSize) {
      this.batches += 1;
      this.bell.nudge();
    }
    if (this.gathered > 0) this.gather();
  }

  /** Nothing more is on its way for now: what has gathered goes out at once. */
  flush(): void {
    if (this.gathered === 0) return;
    this.gathered = 0;
    this.endGathering();
    this.bell.ring();
  }

  /** Something may be due: up to that many workers look now instead of at the next poll. */
  wake(workers: number): void {
    this.bell.ring(workers);
  }

  stop(workers: number): void {
    this.stopping = true;
    this.endGathering();
    this.wake(workers);
  }

  /** Whether the worker that had this turn is to look once more at once, because there may be more than it can send. */
  goesOn(turn: Turn, reason: Reason): boolean {
    if (turn === 'sent' && reason === 'due') {
      this.bell.ring();
      this.search();
      return true;
    }
    // Others were here before, so what is left of the announcements is not known. One more look: what was announced during this one
    // need not be in its answer.
    if (turn === 'idle') this.batches = Math.min(this.batches, 1);
    // Whatever waited for these records may be due now.
    else if (turn !== 'closed') this.gather();
    return false;
  }

  /** Resolves when a look is worth it. No poll takes what is just gathering: a look is coming when its time is up. */
  async next(): Promise<Reason> {
    const { pollIntervalMs, searchEveryMs = 2_000 } = this.options;
    for (let rung = this.stopping; !rung;) {
      if (this.batches > 0) {
        this.batches -= 1;
        // Records of other replicas, or such that were given back, may wait beside what is announced without a pause.
        if (performance.now() - this.searchedAtMs < searchEveryMs) return 'announced';
        break;
      }
      rung = await this.bell.wait(pollIntervalMs);
      if (this.batches === 0 && this.gathering === undefined) break;
    }
    this.search();
    return 'due';
  }

  /** A look for all there is, until one finds less than a batch, also takes what has gathered. */
  private search(): void {
    this.searchedAtMs = performance.now();
    this.gathered = 0;
  }

  private gather(): void {
    if (this.stopping) return;
    this.gathering ??= setTimeout(() => {
      this.gathering = undefined;
      this.bell.ring();
    }, this.options.gatherMs ?? GATHER_MS);
  }

  private endGathering(): void {
    clearTimeout(this.gathering);
    this.gathering = undefined;
  }
}

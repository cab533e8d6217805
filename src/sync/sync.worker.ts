import { Injectable, Logger } from '@nestjs/common';
import type { ReadingOutcome } from '../balances/outcome';
import { Environment } from '../config/environment';
import { GATHER_MS } from '../delivery/lookout';
import { Database } from '../shared/database';
import { DatabaseClock } from '../shared/database-clock';
import { Doorbell } from '../shared/doorbell';
import { LastingTrouble } from '../shared/lasting-trouble';
import { Replica } from '../shared/replica';
import { within } from '../shared/within';
import { claimReads, extendReadLeases, giveBackClaims, type ClaimedSubject } from './claim-reads';
import { ReadQuotas, type Quotas } from './read-quotas';
import { ReadSlots } from './read-slots';
import { ReadingWriter } from './reading-writer';
import { finishRuns } from './runs';
import { SubjectReader } from './subject-reader';
import type { SubjectResult } from './subject-result';
import { tellFinished } from './tell-finished';

/** After one of these the next call would most likely end the same way, or must not be made at all. */
const TROUBLE: ReadonlySet<ReadingOutcome> = new Set<ReadingOutcome>([
  'BANK_UNAVAILABLE',
  'RATE_LIMITED',
  'CERTIFICATE_PROBLEM',
  'TOKEN_REJECTED',
  'CONSENT_REQUIRED',
  'GATEWAY_ERROR',
]);

/** Answers that may wait to be written before nothing more is claimed: two groups. */
const MAX_UNWRITTEN = 500;

/**
 * So long holds the decision that a bank may be asked, which is made with the claim: consents end, connections are paused, accounts change.
 * What has waited longer for a place goes back and is decided anew. No lease is shorter, so that nobody else has the claim by then.
 */
const DECISION_HOLDS_MS = 1_000;

interface HeldClaim {
  /** By the monotonic clock. */
  decidedAtMs: number;
  answered: boolean;
}

/**
 * Reads what is due: claims a little ahead, calls with at most SYNC_CONCURRENCY calls under way in this replica, and
 * writes. The three go on side by side: a place is free for the next call as soon as the bank has answered.
 */
@Injectable()
export class SyncWorker {
  /** For tests, in which time must not pass by itself. */
  decisionHoldsMs = DECISION_HOLDS_MS;
  private readonly logger = new Logger(SyncWorker.name);
  private readonly trouble = new LastingTrouble(this.logger, {
    fails: 'due reads could not be claimed; trying again at every poll',
    works: 'due reads can be claimed again',
  });
  private readonly bell = new Doorbell();
  /** All that is claimed and not yet written or given back. */
  private readonly held = new Map<ClaimedSubject, HeldClaim>();
  /** Of these, how many wait to be written. */
  private answered = 0;
  private readonly slots: ReadSlots<ClaimedSubject>;
  /** The last look found less than there was room for: until something changes, another would find nothing. */
  private drained = false;
  /** The last look found more than there was room for. */
  private plenty = false;
  private lookedAtMs = -Infinity;
  private stopping = false;
  private loop: Promise<void> | undefined;
  private renewal: NodeJS.Timeout | undefined;
  private review: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
    private readonly quotas: ReadQuotas,
    private readonly reader: SubjectReader,
    private readonly writer: ReadingWriter,
    private readonly replica: Replica,
    private readonly clock: DatabaseClock,
  ) {
    this.slots = new ReadSlots(environment.syncConcurrency);
  }

  start(): void {
    this.loop ??= this.work();
    this.renewal ??= setInterval(() => void this.renewLeases(), (this.environment.leaseSeconds * 1000) / 3);
    this.review ??= setInterval(() => void this.giveBackStale(), DECISION_HOLDS_MS / 2);
  }

  /** There may be something due: look now instead of at the next poll. */
  wake(): void {
    this.drained = false;
    this.plenty = false;
    this.bell.ring();
  }

  /** Makes no more calls, waits for the reads under way, gives the rest back; what is not done by then is taken over by its lease. */
  async stop(graceMs: number): Promise<void> {
    this.stopping = true;
    this.writer.stop();
    this.bell.ring();
    const deadline = performance.now() + graceMs;
    await within(graceMs, this.loop ?? Promise.resolve());
    await within(Math.max(0, deadline - performance.now()), this.giveBack(this.slots.withdraw()));
    while (this.held.size > 0 && performance.now() < deadline) await delay(20);
    clearInterval(this.renewal);
    clearInterval(this.review);
    if (this.held.size > 0)
      this.logger.warn({ msg: 'reads were still under way at shutdown; their leases run out', reads: this.held.size });
  }

  private async work(): Promise<void> {
    while (!this.stopping) {
      const { claimed, waitMs } = this.wantsMore() ? await this.claimSome() : NOTHING;
      // A full house waits for a place; an empty queue waits for the poll.
      if (claimed === 0) await this.bell.wait(waitMs ?? this.environment.pollIntervalMs);
    }
  }

  /** Whether a look at the queue is worth its queries now. */
  private wantsMore(): boolean {
    // What was read and could not be written yet goes first: claiming it anew would cost a second read.
    if (this.writer.blocked) return false;
    if (this.answered >= MAX_UNWRITTEN) return false;
    const ahead = this.quotas.ahead.total;
    if (this.held.size - this.answered - ahead >= this.environment.syncConcurrency) return false;
    if (performance.now() - this.lookedAtMs >= this.environment.pollIntervalMs || this.held.size === 0) return true;
    if (this.drained) return false;
    // A place that is free now is one that nobody in the line may have.
    return this.slots.free > 0 || this.slots.waiting <= ahead / 2;
  }

  /** How many subjects were claimed, and how long to wait where none was. */
  private async claimSome(): Promise<{ claimed: number; waitMs: number }> {
    let claimed = 0;
    // Until a connection may be asked again, where that is what holds reads up.
    let pacedMs = Infinity;
    this.lookedAtMs = performance.now();
    this.drained = true;
    try {
      // Places that a connection cannot use (its accounts are held elsewhere, its bank is slow to be asked) are shared again.
      const served = new Set<string>();
      for (let before = -1; served.size > before;) {
        before = served.size;
        const quotas = await this.quotas.take(this.held, served, this.plenty);
        this.plenty = false;
        this.slots.contended = quotas.contended;
        if (!quotas.due) await this.finish();
        pacedMs = Math.min(pacedMs, quotas.waitMs ?? Infinity);
        const subjects = await this.claim(quotas);
        claimed += subjects.length;
        for (const [connectionId, share] of quotas.shares) {
          if (subjects.filter(({ state }) => state.connectionId === connectionId).length < share)
            served.add(connectionId);
          else this.drained = false;
        }
        if (quotas.due && quotas.shares.size === 0) this.drained = false;
      }
      this.plenty = claimed > 0 && served.size === 0;
      if (claimed === 0 && this.held.size === 0 && pacedMs > GATHER_MS) this.writer.flush();
      this.trouble.worked();
    } catch (error) {
      this.drained = false;
      this.trouble.failed(error);
    }
    return { claimed, waitMs: Math.min(this.environment.pollIntervalMs, pacedMs) };
  }

  private async claim(quotas: Quotas): Promise<ClaimedSubject[]> {
    const { leaseSeconds } = this.environment;
    const decidedAtMs = performance.now();
    const claims = await claimReads(this.database, {
      quotas: quotas.quotas,
      replica: this.replica.id,
      leaseSeconds,
    });
    for (const subject of claims.subjects) {
      this.held.set(subject, { decidedAtMs, answered: false });
      if (subject.denial) void this.deny(subject);
      else this.slots.add(subject.state.connectionId, subject);
    }
    this.callWhileFree();
    await this.quotas.settle(quotas, claims);
    return claims.subjects;
  }

  private callWhileFree(): void {
    if (this.stopping) return;
    for (let next = this.slots.enter(); next; next = this.slots.enter()) {
      const { connectionId, subject } = next;
      if (this.isStale(subject)) {
        this.slots.leave(connectionId);
        void this.giveBack([subject, ...this.slots.withdraw((waiting) => this.isStale(waiting))]);
      } else void this.call(connectionId, subject);
    }
  }

  private isStale(subject: ClaimedSubject): boolean {
    const decidedAtMs = this.held.get(subject)?.decidedAtMs ?? -Infinity;
    const { validUntil } = subject.state.consent;
    return (
      performance.now() - decidedAtMs >= this.decisionHoldsMs ||
      (validUntil !== undefined && validUntil <= this.clock.now())
    );
  }

  /** A place that never gets free must not keep what waits for it in the budgets of its consents. */
  private async giveBackStale(): Promise<void> {
    await this.giveBack(this.slots.withdraw((subject) => this.isStale(subject)));
  }

  private async call(connectionId: string, subject: ClaimedSubject): Promise<void> {
    this.quotas.ahead.asked(connectionId);
    const result = await this.reader.read(subject);
    this.slots.leave(connectionId);
    if (result.readings.some(({ outcome }) => TROUBLE.has(outcome))) {
      this.quotas.ahead.troubled(connectionId);
      void this.giveBack(this.slots.withdraw((_, id) => id === connectionId));
    } else this.quotas.ahead.answered(connectionId);
    this.callWhileFree();
    this.bell.ring();
    this.write(result);
  }

  private async deny(subject: ClaimedSubject): Promise<void> {
    this.write(await this.reader.read(subject));
  }

  private write(result: SubjectResult): void {
    const claim = this.held.get(result.subject);
    if (claim) claim.answered = true;
    this.answered += 1;
    this.writer.keep(result, (lost) => this.written(result, lost));
  }

  private written({ subject, repeatAfterMs }: SubjectResult, lost: { reason: unknown } | undefined): void {
    this.answered -= 1;
    this.held.delete(subject);
    this.bell.ring();
    if (lost) {
      // Nothing is lost: the lease runs out and another turn reads again.
      const { subjectId } = subject.state;
      this.logger.error({ msg: 'a reading could not be written', subjectId, error: String(lost.reason) });
    }
    if (repeatAfterMs !== undefined) setTimeout(() => this.wake(), repeatAfterMs + 20).unref();
  }

  private async giveBack(subjects: readonly ClaimedSubject[]): Promise<void> {
    if (subjects.length === 0) return;
    try {
      await giveBackClaims(this.database, subjects);
    } catch (error) {
      this.logger.warn({ msg: 'claims could not be given back; their leases run out', error: String(error) });
    } finally {
      for (const subject of subjects) this.held.delete(subject);
      this.wake();
    }
  }

  private async finish(): Promise<void> {
    tellFinished(this.logger, await finishRuns(this.database));
  }

  private async renewLeases(): Promise<void> {
    try {
      await extendReadLeases(this.database, [...this.held.keys()], this.environment.leaseSeconds);
    } catch (error) {
      this.logger.warn({ msg: 'leases of reads could not be renewed', error: String(error) });
    }
  }
}

const NOTHING = { claimed: 0, waitMs: undefined };

async function delay(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

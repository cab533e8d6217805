import { Logger } from '@nestjs/common';
import type { Environment } from '../config/environment';
import type { ClaimedRecord } from '../outbox/claim';
import { claimAhead, extendAhead, startAttempts, unclaim } from '../outbox/claim-ahead';
import type { Database } from '../shared/database';
import { Doorbell } from '../shared/doorbell';
import { failPoint } from '../shared/fail-point';
import { within } from '../shared/within';
import { toSent, type Call } from './call';
import { askLeave, extendProbe, returnProbe, type EndpointState, type Leave } from './endpoint-state';
import type { Lane } from './lane';
import { returnToPool } from './settlements';
import type { Settling } from './settling';

/** Records that a replica holds of a channel without batches, as a multiple of its calls under way. */
const AHEAD = 4;

interface Ready {
  record: ClaimedRecord;
  attemptId: string;
}

export interface SingleSenderParts {
  lane: Lane;
  database: Database;
  environment: Environment;
  settling: Settling;
  replica: string;
}

/**
 * Sends the records of a channel that has no batch, one call each, as a pipeline of three stages: records are claimed
 * ahead; the attempt rows of calls that come next share a commit, made while the calls before them are under way; answers
 * that arrive together are settled together. A record is in doubt only from its attempt row's commit.
 */
export class SingleSender {
  private readonly logger = new Logger(SingleSender.name);
  private readonly bell = new Doorbell();
  /** All that this sender has claimed and not yet settled or given back, by id. */
  private readonly held = new Map<string, ClaimedRecord>();
  private claimed: ClaimedRecord[] = [];
  private ready: Ready[] = [];
  /** Calls under way, by attempt. */
  private readonly calls = new Map<string, ClaimedRecord>();
  /** Calls and the settling of their answers. */
  private readonly open = new Set<Promise<void>>();
  private starting: Promise<void> | undefined;
  private state: EndpointState | undefined;
  private stopping = false;
  private loop: Promise<void> | undefined;
  private renewal: NodeJS.Timeout | undefined;

  constructor(private readonly parts: SingleSenderParts) {}

  start(): void {
    this.loop ??= this.work();
    this.renewal ??= setInterval(() => void this.renew(), (this.parts.environment.leaseSeconds * 1000) / 3);
  }

  /** There may be something due: look now instead of at the next poll. */
  wake(): void {
    this.bell.ring();
  }

  /** Starts no more calls, waits for those under way, gives the rest back. */
  async stop(graceMs: number): Promise<void> {
    this.stopping = true;
    this.bell.ring();
    await within(graceMs, Promise.all([this.loop, this.starting, ...this.open]));
    clearInterval(this.renewal);
    await this.giveBack('gateway-stopped');
    for (const [attemptId, record] of this.calls) {
      await this.parts.settling.abandon(attemptId, [returnToPool(record, { doubt: true, reason: 'gateway-stopped' })]);
    }
  }

  private async work(): Promise<void> {
    const { environment, lane } = this.parts;
    while (!this.stopping) {
      let claimed = 0;
      try {
        claimed = await this.claim();
      } catch (error) {
        this.logger.error({
          msg: 'records could not be claimed; trying again at the next poll',
          endpoint: lane.endpoint,
          error: String(error),
        });
      }
      this.pump();
      if (claimed === 0 && !this.stopping) await this.bell.wait(environment.pollIntervalMs);
    }
  }

  private async claim(): Promise<number> {
    const { lane, database, environment } = this.parts;
    const free = AHEAD * lane.concurrency - this.held.size;
    // A claim a record would cost more than the send: it waits until half of the room is free.
    if (free < (AHEAD / 2) * lane.concurrency) return 0;
    const leave = await askLeave(database, lane.endpoint, environment.leaseSeconds);
    if (leave.kind === 'closed') return 0;
    // A probe is one call alone.
    if (leave.kind === 'probe' && this.held.size > 0) {
      await returnProbe(database, lane.endpoint, leave.state);
      return 0;
    }
    this.state = leave.state;
    const records = await this.claimFor(leave, leave.kind === 'probe' ? 1 : free);
    if (records.length === 0 && leave.kind === 'probe') await returnProbe(database, lane.endpoint, leave.state);
    for (const record of records) this.held.set(record.id, record);
    this.claimed.push(...records);
    return records.length;
  }

  private async claimFor(leave: Leave, limit: number): Promise<ClaimedRecord[]> {
    const { lane, database, environment } = this.parts;
    const request = { channel: lane.channel, limit, leaseSeconds: environment.leaseSeconds };
    const exceptIds = leave.kind === 'probe' ? leave.state.lastFailedIds : [];
    const others = await claimAhead(database, { ...request, exceptIds });
    return others.length > 0 || exceptIds.length === 0 ? others : claimAhead(database, { ...request, exceptIds: [] });
  }

  /** Moves everything on that can move; called whenever something has changed. */
  private pump(): void {
    const { lane } = this.parts;
    while (!this.stopping && this.calls.size < lane.concurrency) {
      const next = this.ready.shift();
      if (!next) break;
      this.calls.set(next.attemptId, next.record);
      const done = this.call(next);
      this.open.add(done);
      void done.finally(() => this.open.delete(done));
    }
    if (!this.stopping && !this.starting && this.claimed.length > 0 && this.ready.length < lane.concurrency) {
      this.starting = this.startNext().finally(() => {
        this.starting = undefined;
        this.pump();
      });
    }
  }

  private async startNext(): Promise<void> {
    const { lane, database, environment, replica } = this.parts;
    // One round of calls beside the next: so many share a commit, and no more are in doubt before they are sent.
    const records = this.claimed.splice(0, 2 * lane.concurrency);
    try {
      const attempts = await startAttempts(database, records, {
        endpoint: lane.endpoint,
        replica,
        leaseSeconds: environment.leaseSeconds,
      });
      failPoint('after-claim');
      for (const record of records) {
        const attemptId = attempts.get(record.id);
        if (attemptId === undefined) this.held.delete(record.id);
        else this.ready.push({ record, attemptId });
      }
    } catch (error) {
      // Whether the attempt rows were committed is unknown: the leases run out and the records come back in doubt.
      for (const record of records) this.held.delete(record.id);
      this.logger.error({
        msg: 'attempts could not be committed; nothing was sent',
        endpoint: lane.endpoint,
        error: String(error),
      });
    }
  }

  private async call({ record, attemptId }: Ready): Promise<void> {
    const { lane, settling } = this.parts;
    try {
      const result = await lane.sendSingle(record);
      failPoint('after-response');
      this.calls.delete(attemptId);
      this.pump();
      if (!this.state) throw new Error('a call without an endpoint state');
      const call: Call = {
        lane,
        batch: { attemptId, group: undefined, records: [record] },
        state: this.state,
        result,
        single: true,
      };
      const verdict = lane.judgeSingle(result, toSent(record), new Date());
      await settling.apply(call, verdict);
      // Anything but a verdict about the record may have paused the endpoint: what is not sent yet must not pass the pause.
      if (verdict.kind !== 'settled') await this.giveBack('endpoint-paused');
    } catch (error) {
      this.logger.error({
        msg: 'an answer could not be settled; its lease brings the record back',
        attemptId,
        error: String(error),
      });
    } finally {
      this.calls.delete(attemptId);
      this.held.delete(record.id);
      this.pump();
      this.bell.ring();
    }
  }

  /** What was claimed or even promised to an attempt, but not sent, goes back as it was. */
  private async giveBack(reason: string): Promise<void> {
    const { database, settling } = this.parts;
    const unsent = this.ready.splice(0);
    const claimed = this.claimed.splice(0);
    await unclaim(database, claimed);
    for (const { record, attemptId } of unsent) {
      await settling.abandon(attemptId, [returnToPool(record, { doubt: false, reason })]);
    }
    for (const record of [...claimed, ...unsent.map((each) => each.record)]) this.held.delete(record.id);
  }

  private async renew(): Promise<void> {
    const { database, environment, lane } = this.parts;
    try {
      await extendAhead(database, [...this.held.values()], environment.leaseSeconds);
      if (this.state && this.held.size > 0)
        await extendProbe(database, lane.endpoint, this.state, environment.leaseSeconds);
    } catch (error) {
      this.logger.warn({
        msg: 'leases could not be renewed',
        endpoint: this.parts.lane.endpoint,
        error: String(error),
      });
    }
  }
}

import { Injectable, Logger } from '@nestjs/common';
import type { CallVerdict } from '../amlyze/record-verdict';
import { Environment } from '../config/environment';
import { claimDue, claimGroup, type ClaimedBatch } from '../outbox/claim';
import { extendLeases } from '../outbox/settle';
import { Database } from '../shared/database';
import { failPoint } from '../shared/fail-point';
import { Replica } from '../shared/replica';
import { toSent, type Call } from './call';
import { askLeave, extendProbe, returnProbe, type EndpointState, type Leave } from './endpoint-state';
import type { Lane } from './lane';
import { returnToPool } from './settlements';
import { Settling } from './settling';

/** A batch was claimed and may have been sent, but what came of it could not be written down. */
export class UnsettledBatch extends Error {
  override readonly name = 'UnsettledBatch';

  constructor(
    readonly attemptId: string,
    cause: unknown,
  ) {
    super(`attempt ${attemptId} could not be settled`, { cause });
  }
}

/** What one turn did: `sent-last` = all that was due, less than a batch; `idle` = nothing due, `closed` = the endpoint is paused. */
export type Turn = 'sent' | 'sent-last' | 'idle' | 'closed';

/**
 * One batch from claim to settle. No transaction is open during the call: the claim has committed the attempt and the
 * doubt before it, and the settle writes only to what is still under way with that attempt.
 */
@Injectable()
export class DeliveryService {
  private readonly logger = new Logger(DeliveryService.name);
  private readonly inFlight = new Map<string, { lane: Lane; batch: ClaimedBatch }>();

  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
    private readonly settling: Settling,
    private readonly replica: Replica,
  ) {}

  /** Claims, sends and settles one batch of the lane. Throws UnsettledBatch where only the claim is durable. */
  async deliverNext(lane: Lane): Promise<Turn> {
    const leave = await askLeave(this.database, lane, this.environment.leaseSeconds);
    if (leave.kind === 'closed') return 'closed';
    const batch = await this.claim(lane, leave);
    if (!batch) {
      if (leave.kind === 'probe') await returnProbe(this.database, lane.endpoint, leave.state);
      return 'idle';
    }
    failPoint('after-claim');
    this.inFlight.set(batch.attemptId, { lane, batch });
    try {
      await this.sendAndSettle(lane, batch, leave.state);
    } catch (cause) {
      throw new UnsettledBatch(batch.attemptId, cause);
    } finally {
      this.inFlight.delete(batch.attemptId);
    }
    return batch.group === undefined && batch.records.length < this.limit(lane, leave) ? 'sent-last' : 'sent';
  }

  private limit(lane: Lane, leave: Leave): number {
    return Math.min(lane.batchSize, leave.state.batchLimit ?? lane.batchSize);
  }

  /**
   * Gives back what is still under way when the process has to go: in doubt, due at once, logged as such. What cannot be written comes
   * back by its lease: a database that is away must not keep the process from ending in order.
   *
   * @returns calls that were given back
   */
  async giveBackInFlight(): Promise<number> {
    const calls = [...this.inFlight.values()];
    const given = await Promise.all(calls.map(({ batch }) => this.giveBack(batch)));
    return given.filter(Boolean).length;
  }

  private async giveBack(batch: ClaimedBatch): Promise<boolean> {
    const settlements = batch.records.map((record) => ({
      ...returnToPool(record, { verdict: 'in-doubt', reason: 'gateway-stopped' }),
      groupId: batch.group?.id,
    }));
    return this.settling.writer.abandonAtStop(batch.attemptId, settlements);
  }

  private async claim(lane: Lane, leave: Leave): Promise<ClaimedBatch | undefined> {
    const request = {
      channel: lane.channel,
      endpoint: lane.endpoint,
      replica: this.replica.id,
      limit: this.limit(lane, leave),
      leaseSeconds: this.environment.leaseSeconds,
    };
    if (leave.kind === 'open')
      return (await claimGroup(this.database, request)) ?? (await claimDue(this.database, request));
    // A probe prefers records that were not in the call that failed: a poison batch must not keep the endpoint shut.
    const others = { ...request, exceptIds: leave.state.lastFailedIds };
    return (
      (await claimDue(this.database, others)) ??
      (await claimGroup(this.database, others)) ??
      (await claimDue(this.database, request)) ??
      (await claimGroup(this.database, request))
    );
  }

  private async sendAndSettle(lane: Lane, batch: ClaimedBatch, state: EndpointState): Promise<void> {
    const single = batch.group !== undefined && batch.records.length === 1;
    const renewal = setInterval(
      () => void this.renewLeases(lane, batch, state),
      (this.environment.leaseSeconds * 1000) / 3,
    );
    try {
      const [first] = batch.records;
      const result = single && first ? await lane.sendSingle(first) : await lane.sendBatch(batch.records);
      failPoint('after-response');
      const call: Call = { lane, batch, state, result, single };
      await this.settling.apply(call, this.judge(call));
    } finally {
      clearInterval(renewal);
    }
  }

  private async renewLeases(lane: Lane, batch: ClaimedBatch, state: EndpointState): Promise<void> {
    const { leaseSeconds } = this.environment;
    try {
      await extendLeases(this.database, [batch.attemptId], leaseSeconds);
      await extendProbe(this.database, lane.endpoint, state, leaseSeconds);
    } catch (error) {
      this.logger.warn({
        msg: 'lease of a batch could not be renewed',
        attemptId: batch.attemptId,
        error: String(error),
      });
    }
  }

  private judge({ lane, batch, result, single }: Call): CallVerdict {
    const sent = batch.records.map(toSent);
    const [first] = sent;
    return single && first ? lane.judgeSingle(result, first, new Date()) : lane.judgeBatch(result, sent, new Date());
  }
}

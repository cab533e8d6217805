import { Injectable, Logger } from '@nestjs/common';
import type { CallVerdict, SentRecord } from '../amlyze/record-verdict';
import { Environment } from '../config/environment';
import { claimDue, claimGroup, type ClaimedBatch, type ClaimedRecord } from '../outbox/claim';
import { cutInTwo, extendLease, settle, type Settlement } from '../outbox/settle';
import { Database } from '../shared/database';
import { failPoint } from '../shared/fail-point';
import type { Answer, CallFailure } from '../shared/http-client';
import { Metrics } from '../shared/metrics';
import { Replica } from '../shared/replica';
import { backoffMs, OPERATOR_PROBE_MS, rateLimitMs } from './endpoint-pause';
import {
  askLeave,
  recordFailure,
  recordSuccess,
  recordTooLarge,
  returnProbe,
  type EndpointState,
  type Leave,
} from './endpoint-state';
import type { Lane } from './lane';
import { chargeAttempt, returnToPool, settleByVerdict, type RetryPolicy } from './settlements';

/** What one turn did: `idle` = nothing due, `closed` = the endpoint is paused. */
export type Turn = 'sent' | 'idle' | 'closed';

/** A cut batch that found no success down to this depth asks the single endpoint whether anything is alive. */
const CANARY_DEPTH = 3;
/** How long the rest of such a batch waits for that answer. */
const CANARY_WAIT_MS = 2_000;

interface Call {
  lane: Lane;
  batch: ClaimedBatch;
  state: EndpointState;
  result: Answer | CallFailure;
  single: boolean;
}

/**
 * One batch from claim to settle. No transaction is open during the call: the claim has committed the attempt and the
 * doubt before it, and the settle writes only what the claim's epoch still holds.
 */
@Injectable()
export class DeliveryService {
  private readonly logger = new Logger(DeliveryService.name);
  private readonly policy: RetryPolicy;
  private readonly inFlight = new Map<string, { lane: Lane; batch: ClaimedBatch }>();

  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
    private readonly metrics: Metrics,
    private readonly replica: Replica,
  ) {
    this.policy = { maxAttempts: environment.amlyzeMaxAttempts, random: Math.random };
  }

  /** Claims, sends and settles one batch of the lane. */
  async deliverNext(lane: Lane): Promise<Turn> {
    const leave = await askLeave(
      this.database,
      lane.endpoint,
      this.environment.leaseSeconds + this.environment.amlyzeTimeoutMs / 1000,
    );
    if (leave.kind === 'closed') return 'closed';
    const batch = await this.claim(lane, leave);
    if (!batch) {
      if (leave.kind === 'probe') await returnProbe(this.database, lane.endpoint);
      return 'idle';
    }
    failPoint('after-claim');
    this.inFlight.set(batch.attemptId, { lane, batch });
    try {
      await this.sendAndSettle(lane, batch, leave.state);
    } finally {
      this.inFlight.delete(batch.attemptId);
    }
    return 'sent';
  }

  /** Gives back what is still under way when the process has to go: in doubt, due at once, logged as such. */
  async giveBackInFlight(): Promise<number> {
    const calls = [...this.inFlight.values()];
    for (const { batch } of calls) {
      const settlements = batch.records.map((record) =>
        returnToPool(record, { doubt: true, reason: 'gateway-stopped' }),
      );
      await settle(this.database, batch.attemptId, settlements, {
        outcome: 'given-back',
        detail: 'the gateway stopped before an answer came',
      });
    }
    return calls.length;
  }

  private async claim(lane: Lane, leave: Leave): Promise<ClaimedBatch | undefined> {
    const request = {
      kind: lane.kind,
      endpoint: lane.endpoint,
      replica: this.replica.id,
      limit: Math.min(lane.batchSize, leave.state.batchLimit ?? lane.batchSize),
      leaseSeconds: this.environment.leaseSeconds,
    };
    if (leave.kind === 'open')
      return (await claimGroup(this.database, request)) ?? (await claimDue(this.database, request));
    // A probe prefers records that were not in the call that failed: a poison batch must not keep the endpoint shut.
    return (
      (await claimDue(this.database, { ...request, exceptIds: leave.state.lastFailedIds })) ??
      (await claimDue(this.database, request)) ??
      (await claimGroup(this.database, request))
    );
  }

  private async sendAndSettle(lane: Lane, batch: ClaimedBatch, state: EndpointState): Promise<void> {
    const single = batch.group !== undefined && batch.records.length === 1;
    const renewal = setInterval(() => void this.renewLease(batch), (this.environment.leaseSeconds * 1000) / 3);
    try {
      const payloads = batch.records.map((record) => record.payload);
      const result =
        single && payloads[0] !== undefined ? await lane.sendSingle(payloads[0]) : await lane.sendBatch(payloads);
      failPoint('after-response');
      const call: Call = { lane, batch, state, result, single };
      await this.apply(call, this.judge(call));
    } finally {
      clearInterval(renewal);
    }
  }

  private async renewLease(batch: ClaimedBatch): Promise<void> {
    try {
      await extendLease(this.database, batch, this.environment.leaseSeconds);
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

  private async apply(call: Call, verdict: CallVerdict): Promise<void> {
    const outcome = call.result.kind === 'answer' ? String(call.result.status) : call.result.cause;
    this.metrics.batchSeconds.observe({ endpoint: call.lane.endpoint, outcome }, call.result.latencyMs / 1000);
    switch (verdict.kind) {
      case 'settled':
        return this.applyVerdicts(call, verdict);
      case 'endpoint-failed':
        return this.applyWholeFailure(call, verdict);
      case 'rate-limited':
        return this.applyPause(call, {
          kind: 'rate-limit',
          reason: verdict.detail,
          forMs: rateLimitMs(verdict.retryAfterMs, call.state.failures),
        });
      case 'configuration':
        return this.applyPause(call, { kind: 'operator', reason: verdict.detail, forMs: OPERATOR_PROBE_MS });
      case 'bad-request':
        return this.applyBadRequest(call, verdict.detail);
      case 'too-large':
        return this.applyTooLarge(call, verdict.detail);
    }
  }

  private async applyVerdicts(call: Call, verdict: Extract<CallVerdict, { kind: 'settled' }>): Promise<void> {
    const byId = new Map(verdict.records.map((record) => [record.id, record]));
    const settlements = call.batch.records.map((record) => {
      const own = byId.get(record.id) ?? {
        id: record.id,
        verdict: 'in-doubt' as const,
        reason: 'no-verdict',
        inDoubt: true,
      };
      return {
        ...settleByVerdict(record, own, this.policy),
        groupId: own.verdict === 'in-doubt' ? call.batch.group?.id : undefined,
      };
    });
    await this.settle(call, settlements, 'answered');
    await recordSuccess(this.database, call.lane.endpoint, call.batch.records.length, call.lane.batchSize);
    if (verdict.strangers.length > 0) {
      this.metrics.strangers.inc(verdict.strangers.length);
      this.logger.warn({
        msg: 'AMLYZE answered for numbers that were not sent',
        attemptId: call.batch.attemptId,
        count: verdict.strangers.length,
      });
    }
    for (const alarm of verdict.alarms) this.logger.error({ msg: alarm, attemptId: call.batch.attemptId });
  }

  private async applyWholeFailure(call: Call, failure: { doubt: boolean; detail: string }): Promise<void> {
    const { batch, lane, state } = call;
    if (await this.isBatchesOwnFailure(call)) {
      this.logger.warn({
        msg: 'a batch failed as a whole while others succeed',
        attemptId: batch.attemptId,
        records: batch.records.length,
        detail: failure.detail,
      });
      if (batch.records.length > 1)
        return this.cut(call, 'whole-failure', { doubt: failure.doubt, reason: failure.detail });
      const settlements = batch.records.map((record) => ({
        ...returnToPool(record, { doubt: failure.doubt, reason: failure.detail }),
        ...chargeAttempt(record, this.policy),
        wholeFailure: true,
        groupId: batch.group?.id,
      }));
      return this.settle(call, settlements, 'failed', failure.detail);
    }
    await this.returnAll(call, { doubt: failure.doubt, reason: failure.detail, wholeFailure: true });
    await this.pause(call, { kind: 'backoff', reason: failure.detail, forMs: backoffMs(state.failures + 1) });
    this.logger.warn({
      msg: 'AMLYZE is not answering; delivery waits and probes',
      endpoint: lane.endpoint,
      failures: state.failures + 1,
      detail: failure.detail,
    });
  }

  /** Twice failed as a whole, and other records got through between the two: then it is not the endpoint. */
  private async isBatchesOwnFailure({ batch, lane }: Call): Promise<boolean> {
    const suspects = batch.records.filter((record) => record.wholeFailures > 0);
    if (suspects.length === 0) return false;
    const [row] = await this.database.query<{ own: boolean }>(
      `select coalesce((select last_success_at from amlyze_endpoint where endpoint = $2) >
  (select min(d.settled_at) from delivery_result d where d.record_id = any($1::bigint[]) and d.verdict in ('in-doubt', 'not-sent')), false) as own`,
      [suspects.map((record) => record.id), lane.endpoint],
    );
    return row?.own ?? false;
  }

  private async applyPause(
    call: Call,
    pause: { kind: 'rate-limit' | 'operator'; reason: string; forMs: number },
  ): Promise<void> {
    await this.returnAll(call, { doubt: false, reason: pause.reason, wholeFailure: false });
    await this.pause(call, pause);
    this.logger.error({
      msg: 'delivery to AMLYZE is paused',
      endpoint: call.lane.endpoint,
      pause: pause.kind,
      forMs: pause.forMs,
      detail: pause.reason,
    });
  }

  private async applyBadRequest(call: Call, detail: string): Promise<void> {
    const { batch, lane } = call;
    const [first] = batch.records;
    if (!first) return;
    if (!call.single && batch.records.length === 1)
      return this.cut(call, 'bad-request', { doubt: false, reason: detail });
    const alive = await this.hasSucceededSince(lane, batch.group?.rootCreatedAt);
    if (call.single) {
      if (!alive) return this.applyPause(call, { kind: 'operator', reason: detail, forMs: OPERATOR_PROBE_MS });
      const settlement = {
        ...returnToPool(first, { doubt: false, reason: detail }),
        ...chargeAttempt(first, this.policy),
        groupId: batch.group?.id,
      };
      return this.settle(call, [settlement], 'refused', detail);
    }
    const canary = (batch.group?.depth ?? 0) >= CANARY_DEPTH && !alive;
    return this.cut(call, 'bad-request', { doubt: false, reason: detail }, canary ? 1 : undefined);
  }

  private async hasSucceededSince(lane: Lane, since: Date | undefined): Promise<boolean> {
    if (!since) return false;
    const [row] = await this.database.query<{ alive: boolean }>(
      'select coalesce(last_success_at > $2, false) as alive from amlyze_endpoint where endpoint = $1',
      [lane.endpoint, since],
    );
    return row?.alive ?? false;
  }

  private async applyTooLarge(call: Call, detail: string): Promise<void> {
    await recordTooLarge(this.database, call.lane.endpoint, call.batch.records.length);
    this.logger.warn({
      msg: 'AMLYZE refused the size of a batch; the next ones are half as large',
      records: call.batch.records.length,
    });
    if (call.batch.records.length > 1) {
      // A part of a cut batch is claimed whole, so it has to be cut again; the ordinary pool just claims less.
      if (call.batch.group) return this.cut(call, 'bad-request', { doubt: false, reason: detail });
      return this.returnAll(call, { doubt: false, reason: detail, wholeFailure: false });
    }
    const settlements = call.batch.records.map((record) => ({
      ...returnToPool(record, { doubt: false, reason: detail }),
      ...chargeAttempt(record, this.policy),
    }));
    return this.settle(call, settlements, 'refused', detail);
  }

  /** Sends the batch on as two halves; with `firstPart` the first part has that many records and the rest waits for its verdict. */
  private async cut(
    call: Call,
    cause: 'bad-request' | 'whole-failure',
    failure: { doubt: boolean; reason: string },
    firstPart?: number,
  ): Promise<void> {
    const { records } = call.batch;
    const [first, second] = await cutInTwo(this.database, call.batch.group, cause);
    const middle = firstPart ?? Math.ceil(records.length / 2);
    const settlements = records.map((record, index) => ({
      ...returnToPool(record, failure),
      groupId: index < middle ? first : second,
      delayMs: firstPart !== undefined && index >= middle ? CANARY_WAIT_MS : 0,
      wholeFailure: cause === 'whole-failure',
    }));
    await this.settle(call, settlements, 'refused', failure.reason);
  }

  private async returnAll(
    call: Call,
    failure: { doubt: boolean; reason: string; wholeFailure: boolean },
  ): Promise<void> {
    const settlements = call.batch.records.map((record) => ({
      ...returnToPool(record, failure),
      wholeFailure: failure.wholeFailure,
      groupId: call.batch.group?.id,
    }));
    await this.settle(call, settlements, failure.doubt ? 'failed' : 'refused', failure.reason);
  }

  private async pause(
    call: Call,
    pause: { kind: 'backoff' | 'rate-limit' | 'operator'; reason: string; forMs: number },
  ): Promise<void> {
    await recordFailure(this.database, call.lane.endpoint, call.state, {
      ...pause,
      failedIds: call.batch.records.map((record) => record.id),
    });
  }

  private async settle(call: Call, settlements: Settlement[], outcome: string, detail?: string): Promise<void> {
    failPoint('before-settle');
    const { result } = call;
    const httpStatus = result.kind === 'answer' ? result.status : undefined;
    const held = await settle(this.database, call.batch.attemptId, settlements, {
      outcome,
      httpStatus,
      detail,
      latencyMs: Math.round(result.latencyMs),
    });
    for (const { verdict, reason, record } of settlements) {
      this.metrics.deliveries.inc({
        kind: call.lane.kind,
        verdict: held.has(record.id) ? verdict : 'late',
        // A reason is out of a small closed set; what is due again has a sentence instead.
        reason: reason ?? '',
      });
    }
    if (held.size < settlements.length) {
      this.logger.warn({
        msg: 'an answer came after its claim was taken over; logged as late, nothing changed',
        attemptId: call.batch.attemptId,
        late: settlements.length - held.size,
      });
    }
  }
}

function toSent(record: ClaimedRecord): SentRecord {
  const { id, communicationNumber, accountExtId, inDoubtBefore, rejectedBefore } = record;
  return { id, communicationNumber, accountExtId, inDoubtBefore, rejectedBefore };
}

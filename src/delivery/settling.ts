import { Injectable, Logger } from '@nestjs/common';
import type { CallVerdict } from '../amlyze/record-verdict';
import { Environment } from '../config/environment';
import type { ClaimedRecord } from '../outbox/claimed-record';
import type { Settlement } from '../outbox/settle';
import { Database } from '../shared/database';
import { Metrics } from '../shared/metrics';
import { cutBatch, isBatchesOwnFailure, isRecordsOwnFault, needsCanary, ranOutOfTime, type Cut } from './batch-surgery';
import type { Call } from './call';
import { backoffMs, OPERATOR_PROBE_MS, rateLimitMs } from './endpoint-pause';
import { findOutdatedUnits } from './outdated-units';
import { halveBatchLimit, recordFailure, recordSuccess, returnProbe } from './endpoint-state';
import { SettlementWriter } from './settlement-writer';
import {
  chargeAttempt,
  returnRejected,
  returnToPool,
  settleByVerdict,
  toWholeVerdict,
  type RetryPolicy,
  type WholeVerdict,
} from './settlements';
import { UnopenedNews } from './unopened-news';

/** While all is well a success is written down this often; a call of one record must not cost a row of its own each time. */
const SUCCESS_EVERY_MS = 250;
const NONE: ReadonlySet<string> = new Set();

/** Turns the verdict about a call into settled records, cut batches and pauses. */
@Injectable()
export class Settling {
  private readonly logger = new Logger(Settling.name);
  private readonly policy: RetryPolicy;
  private readonly businessUnit: string | undefined;
  readonly writer: SettlementWriter;
  private readonly unopened = new UnopenedNews(this.logger);
  private readonly successAtMs = new Map<string, number>();

  constructor(
    private readonly database: Database,
    private readonly metrics: Metrics,
    environment: Environment,
  ) {
    this.businessUnit = environment.amlyzeBusinessUnit;
    this.policy = { maxAttempts: environment.amlyzeMaxAttempts, random: Math.random };
    this.writer = new SettlementWriter(database, metrics);
  }

  async apply(call: Call, verdict: CallVerdict): Promise<void> {
    const outcome = call.result.kind === 'answer' ? String(call.result.status) : call.result.cause;
    this.metrics.batchSeconds.observe({ endpoint: call.lane.endpoint, outcome }, call.result.latencyMs / 1000);
    await this.applyVerdict(call, verdict);
    // A probe that neither ended the pause nor prolonged it makes room for the next one at once.
    if (call.state.pause !== undefined) await returnProbe(this.database, call.lane.endpoint, call.state);
  }

  private async applyVerdict(call: Call, verdict: CallVerdict): Promise<void> {
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
        return this.applyConfiguration(call, verdict);
      case 'bad-request':
        return this.applyBadRequest(call, verdict.detail);
      case 'unopened':
        return this.applyUnopened(call, verdict.detail);
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
    await this.writer.settle(call, settlements, 'answered');
    await this.recordSuccess(call);
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

  private async recordSuccess({ lane, state, batch }: Call): Promise<void> {
    // The parts of a cut batch ask whether anything succeeded since the cut.
    const troubled =
      state.pause !== undefined || state.failures > 0 || state.batchLimit !== undefined || batch.group !== undefined;
    const lastMs = this.successAtMs.get(lane.endpoint);
    if (!troubled && lastMs !== undefined && performance.now() - lastMs < SUCCESS_EVERY_MS) return;
    this.successAtMs.set(lane.endpoint, performance.now());
    const size = { sent: batch.records.length, configured: lane.batchSize };
    const pausedSince = await recordSuccess(this.database, lane.endpoint, state, size);
    if (pausedSince) this.logger.log({ msg: 'AMLYZE answers again', endpoint: lane.endpoint, pausedSince });
  }

  private async applyWholeFailure(call: Call, failure: { doubt: boolean; detail: string }): Promise<void> {
    const verdict = toWholeVerdict(call, failure.doubt, failure.detail);
    if (ranOutOfTime(call))
      await this.sendFewer(call, 'AMLYZE did not answer a batch in time; the next ones are half as large');
    if (await isBatchesOwnFailure(this.database, call)) return this.applyOwnFailure(call, verdict);
    return this.applyEndpointFailure(call, verdict);
  }

  private async applyOwnFailure(call: Call, verdict: WholeVerdict): Promise<void> {
    const { batch } = call;
    this.logger.warn({
      msg: 'a batch failed as a whole while others succeed',
      attemptId: batch.attemptId,
      records: batch.records.length,
      detail: verdict.reason,
    });
    if (batch.records.length > 1) return this.cut(call, { cause: 'whole-failure', verdict });
    const settlements = this.chargeAll(call, verdict).map((settlement) => ({ ...settlement, wholeFailure: true }));
    return this.settleWhole(call, settlements, verdict);
  }

  private async applyEndpointFailure(call: Call, verdict: WholeVerdict): Promise<void> {
    const { batch, lane, state } = call;
    // A part of a cut batch is claimed whole, whatever the limit: only among the others it goes out in smaller batches.
    const groupId = ranOutOfTime(call) ? undefined : batch.group?.id;
    await this.returnAll(call, verdict, { wholeFailure: true, groupId });
    if (!(await this.pause(call, { kind: 'backoff', reason: verdict.reason, forMs: backoffMs(state.failures + 1) })))
      return;
    this.logger.warn({
      msg: 'AMLYZE is not answering; delivery waits and probes',
      endpoint: lane.endpoint,
      failures: state.failures + 1,
      detail: verdict.reason,
    });
  }

  /** A record of an earlier setting keeps it: the rejection is its own then, and no pause would mend it. */
  private async applyConfiguration(
    call: Call,
    { detail, rejections = [], frozen }: Extract<CallVerdict, { kind: 'configuration' }>,
  ): Promise<void> {
    const outdated = frozen ? await findOutdatedUnits(this.database, call.batch.records, this.businessUnit) : NONE;
    if (rejections.length > 0 && rejections.every(({ id }) => outdated.has(id))) {
      return this.applyVerdicts(call, { kind: 'settled', records: rejections, strangers: [], alarms: [] });
    }
    const byId = new Map(rejections.map((rejection) => [rejection.id, rejection]));
    const pause = { kind: 'operator', reason: detail, forMs: OPERATOR_PROBE_MS } as const;
    return this.applyPause(call, pause, (record) => {
      const rejection = byId.get(record.id);
      if (rejection === undefined) return undefined;
      return outdated.has(record.id)
        ? settleByVerdict(record, rejection, this.policy)
        : returnRejected(record, rejection);
    });
  }

  /** @param settlementOf what becomes of a record; of one that it says nothing about, and of all where it is left out: due again */
  private async applyPause(
    call: Call,
    pause: { kind: 'rate-limit' | 'operator'; reason: string; forMs: number },
    settlementOf?: (record: ClaimedRecord) => Settlement | undefined,
  ): Promise<void> {
    const verdict = toWholeVerdict(call, false, pause.reason);
    const settlements = call.batch.records.map((record) => {
      const settlement = settlementOf?.(record) ?? returnToPool(record, verdict);
      return settlement.state === 'pending' ? { ...settlement, groupId: call.batch.group?.id } : settlement;
    });
    await this.settleWhole(call, settlements, verdict);
    if (!(await this.pause(call, pause))) return;
    this.logger.error({
      msg: 'delivery to AMLYZE is paused',
      endpoint: call.lane.endpoint,
      pause: pause.kind,
      forMs: pause.forMs,
      detail: pause.reason,
    });
  }

  private async applyBadRequest(call: Call, detail: string): Promise<void> {
    const verdict = toWholeVerdict(call, false, detail);
    // One record cannot be halved: where others got through it is to blame itself, and else it may not be the record at all.
    if (call.single) {
      const own = await isRecordsOwnFault(this.database, call);
      return own ? this.applyOwnFailure(call, verdict) : this.applyEndpointFailure(call, verdict);
    }
    const canary = call.batch.records.length > 1 && (await needsCanary(this.database, call));
    return this.cut(call, { cause: 'bad-request', verdict, canary });
  }

  /** No call was made: nothing of it pauses the endpoint, or keeps a pause. Cutting finds the records that do not open. */
  private async applyUnopened(call: Call, detail: string): Promise<void> {
    const verdict = toWholeVerdict(call, false, detail);
    if (call.batch.records.length > 1) return this.cut(call, { cause: 'bad-request', verdict });
    this.unopened.tell(call.lane.endpoint, detail);
    return this.settleWhole(call, this.chargeAll(call, verdict), verdict);
  }

  private chargeAll({ batch }: Call, verdict: WholeVerdict): Settlement[] {
    return batch.records.map((record) => ({
      ...returnToPool(record, verdict),
      ...chargeAttempt(record, this.policy),
      groupId: batch.group?.id,
    }));
  }

  private async applyTooLarge(call: Call, detail: string): Promise<void> {
    await this.sendFewer(call, 'AMLYZE refused the size of a batch; the next ones are half as large');
    const verdict = toWholeVerdict(call, false, detail);
    if (call.batch.records.length > 1) {
      // A part of a cut batch is claimed whole, so it has to be cut again; the ordinary pool just claims less.
      if (call.batch.group) return this.cut(call, { cause: 'bad-request', verdict });
      return this.returnAll(call, verdict);
    }
    const settlements = call.batch.records.map((record) => ({
      ...returnToPool(record, verdict),
      ...chargeAttempt(record, this.policy),
    }));
    return this.settleWhole(call, settlements, verdict);
  }

  private async sendFewer({ lane, batch }: Call, msg: string): Promise<void> {
    await halveBatchLimit(this.database, lane.endpoint, batch.records.length);
    this.logger.warn({ msg, endpoint: lane.endpoint, records: batch.records.length });
  }

  private async cut(call: Call, cut: Cut): Promise<void> {
    await this.settleWhole(call, await cutBatch(this.database, call.batch, cut), cut.verdict);
  }

  private async returnAll(
    call: Call,
    verdict: WholeVerdict,
    more: Pick<Settlement, 'wholeFailure' | 'groupId'> = {},
  ): Promise<void> {
    const settlements = call.batch.records.map((record) => ({ ...returnToPool(record, verdict), ...more }));
    await this.settleWhole(call, settlements, verdict);
  }

  private async settleWhole(call: Call, settlements: Settlement[], { verdict, reason }: WholeVerdict): Promise<void> {
    await this.writer.settle(call, settlements, verdict === 'refused' ? 'refused' : 'failed', reason);
  }

  /** False where calls that were under way with this one have paused the endpoint already. */
  private async pause(
    call: Call,
    pause: { kind: 'backoff' | 'rate-limit' | 'operator'; reason: string; forMs: number },
  ): Promise<boolean> {
    return recordFailure(this.database, call.lane.endpoint, call.state, {
      ...pause,
      failedIds: call.batch.records.map((record) => record.id),
    });
  }
}

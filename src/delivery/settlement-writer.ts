import { Logger } from '@nestjs/common';
import type { AttemptOutcome } from '../outbox/attempt';
import { answerKey, settleCalls, type LateAnswers, type SettledCall, type Settlement } from '../outbox/settle';
import type { Database } from '../shared/database';
import { failPoint } from '../shared/fail-point';
import { GroupCommit } from '../shared/group-commit';
import type { Metrics } from '../shared/metrics';
import type { Call } from './call';

/** Calls that are settled in one statement at most. */
const MAX_CALLS_PER_COMMIT = 64;

/** Writes down what became of calls: those that come back at about the same time in one commit. */
export class SettlementWriter {
  private readonly logger = new Logger(SettlementWriter.name);
  private readonly writes: GroupCommit<SettledCall, LateAnswers>;

  constructor(
    database: Database,
    private readonly metrics: Metrics,
  ) {
    this.writes = new GroupCommit((calls) => settleCalls(database, calls), MAX_CALLS_PER_COMMIT);
  }

  /** Ends an attempt that no answer will be settled for: its call was never made, or the process has to go. */
  async abandon(attemptId: string, settlements: Settlement[]): Promise<void> {
    const detail = settlements[0]?.verdictReason;
    await this.write({ attemptId, settlements, end: { outcome: 'given-back', detail } });
  }

  /** `abandon` for a call that is open when the process has to go; false, with a line in the log, where it cannot be written. */
  async abandonAtStop(attemptId: string, settlements: Settlement[]): Promise<boolean> {
    try {
      await this.abandon(attemptId, settlements);
      return true;
    } catch (error) {
      this.logger.warn({
        msg: 'a call to AMLYZE that was still open at shutdown could not be given back; its lease brings the records back',
        attemptId,
        records: settlements.length,
        error: String(error),
      });
      return false;
    }
  }

  /** Writes down what became of one call, in a commit with others; which answers of that commit came too late. */
  readonly write = (settled: SettledCall): Promise<LateAnswers> => this.writes.add(settled);

  /** Writes down what an answer made of the records of a call, and counts and tells it. */
  async settle(call: Call, settlements: Settlement[], outcome: AttemptOutcome, detail?: string): Promise<void> {
    failPoint('before-settle');
    const { result } = call;
    const end = { outcome, httpStatus: result.status, detail, latencyMs: Math.round(result.latencyMs) };
    const { attemptId } = call.batch;
    const answers = await (call.write ?? this.write)({ attemptId, settlements, end });
    const isLate = ({ record }: Settlement): boolean =>
      answers.size > 0 && answers.has(answerKey(attemptId, record.id));
    for (const settlement of settlements) {
      this.metrics.deliveries.inc({
        kind: call.lane.kind,
        verdict: isLate(settlement) ? 'late' : settlement.verdict,
        // A reason is out of a small closed set; what is due again has a sentence instead.
        reason: settlement.reason ?? '',
      });
    }
    const late = settlements.filter(isLate).length;
    if (late > 0) {
      this.logger.warn({
        msg: 'an answer came after its claim was taken over; logged as late, nothing changed',
        attemptId,
        late,
      });
    }
  }
}

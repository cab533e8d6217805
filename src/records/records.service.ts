import { Injectable, Logger } from '@nestjs/common';
import { AuditTrail } from '../admin/audit-trail';
import { toProblem } from '../admin/problem.filter';
import { Installation } from '../amlyze/installation';
import { DeliveryWorker } from '../delivery/delivery.worker';
import { CardVault } from '../operations/card-vault';
import { REQUEUEABLE_STATES } from '../outbox/record-state';
import { violatedUnique } from '../shared/constraint';
import { Database } from '../shared/database';
import { classifyDatabaseFailure, mayBeRepeated } from '../shared/database-failure';
import { ApiProblem } from '../shared/problem';
import { forgetCount } from '../sync/count-runs';
import { selection } from './record-views';
import type { AdoptDto, RequeueByFilterDto, RequeueDto, RequeueManyAnswerDto } from './records.dto';
import { requeue, type RequeueAnswer, type RequeueRequest } from './requeue';

/** Most records that one requeue by filter looks at; `more` says that there may be others. */
const MAX_REQUEUE = 5_000;
const REQUEUE_PAGE = 500;
const FILTERS = ['state', 'accountId', 'runId', 'errorCode'] as const;
const IS_LATEST = `(r.kind <> 'balance' or not exists (select 1 from amlyze_record n where n.supersedes = r.communication_number))`;

/** What an operator can do with settled records; every act is in the audit trail with its reason. */
@Injectable()
export class RecordsService {
  private readonly logger = new Logger(RecordsService.name);

  constructor(
    private readonly database: Database,
    private readonly audit: AuditTrail,
    private readonly installation: Installation,
    private readonly delivery: DeliveryWorker,
    private readonly vault: CardVault,
  ) {}

  async requeueOne(number: string, dto: RequeueDto): Promise<{ communicationNumber: string }> {
    const answer = await this.requeue(number, toRequest(dto));
    if (answer.kind === 'unknown') throw ApiProblem.notFound('record', number);
    if (answer.kind === 'reason-missing') throw ApiProblem.invalid([{ field: 'reason', message: answer.message }]);
    if (answer.kind === 'refused') throw ApiProblem.conflict(answer.detail);
    this.delivery.wake();
    return { communicationNumber: answer.communicationNumber };
  }

  async requeueByFilter(dto: RequeueByFilterDto): Promise<RequeueManyAnswerDto> {
    // Everything at once under new numbers is nothing that anybody means, and AMLYZE would have all of it again.
    if (dto.newNumber === true && !FILTERS.some((filter) => dto[filter] !== undefined))
      throw ApiProblem.invalid([{ field: 'newNumber', message: `needs a filter beside it: ${FILTERS.join(', ')}` }]);
    const done: RequeueManyAnswerDto = { requeued: 0, refused: [], more: false };
    try {
      await this.requeueMatching(dto, done);
    } catch (error) {
      // What is requeued stays so, and nothing but this answer counts it.
      if (done.requeued === 0) throw error;
      this.logger.warn({ msg: 'a requeue by filter stopped on its way', requeued: done.requeued, err: error });
      done.more = true;
    }
    if (done.requeued > 0) this.delivery.wake();
    return done;
  }

  private async requeueMatching(dto: RequeueByFilterDto, done: RequeueManyAnswerDto): Promise<void> {
    const looked = (): number => done.requeued + done.refused.length;
    // What is settled meanwhile, a requeued record that fails again above all, is nothing that the operator has seen.
    const settledBy = await this.now();
    // One state after the other, since each has its place in an index.
    for (const state of dto.state ? [dto.state] : REQUEUEABLE_STATES) {
      let afterId: string | undefined = '0';
      // Goes on behind what was refused: otherwise a page full of refusals would hide the rest for ever.
      while (afterId !== undefined && looked() < MAX_REQUEUE) {
        const page = await this.findRequeueable({ ...dto, state }, { afterId, settledBy });
        for (const { communication_number: communicationNumber } of page) {
          const detail = await this.requeueOfMany(communicationNumber, toRequest(dto));
          if (detail === undefined) done.requeued += 1;
          else done.refused.push({ communicationNumber, detail });
        }
        afterId = page.at(-1)?.id;
      }
    }
    done.more = looked() >= MAX_REQUEUE;
  }

  /** Why it was not requeued; undefined where it was. One that cannot be must not stand in the way of those behind it. */
  private async requeueOfMany(number: string, request: RequeueRequest): Promise<string | undefined> {
    try {
      const answer = await this.requeue(number, request);
      return answer.kind === 'requeued' ? undefined : toDetail(answer);
    } catch (error) {
      if (mayBeRepeated(error)) throw error;
      this.logger.error({ msg: 'a record cannot be requeued', communicationNumber: number, err: error });
      return toProblem(error, 'POST').message;
    }
  }

  /** By the database's clock, to the microsecond. */
  private async now(): Promise<string> {
    const [row] = await this.database.query<{ at: string }>('select clock_timestamp()::text as at');
    if (!row) throw new Error('the database told no time');
    return row.at;
  }

  private async findRequeueable(
    dto: RequeueByFilterDto,
    { afterId, settledBy }: { afterId: string; settledBy: string },
  ): Promise<{ id: string; communication_number: string }[]> {
    const values: unknown[] = [afterId, REQUEUE_PAGE];
    const { state, accountId, runId, errorCode } = dto;
    const { from, where, order } = selection({ state, accountId, runId, errorCode }, values);
    // What went out under a new number stays as it is, and would come first in every later call.
    const latest = dto.newNumber === true ? `and ${IS_LATEST}` : '';
    const settled = `and s.settled_at <= $${values.push(settledBy)}::timestamptz`;
    return this.database.query(
      `select r.id, r.communication_number from ${from} where ${where} ${settled} ${latest} order by ${order} limit $2`,
      values,
    );
  }

  /** A held record that AMLYZE demonstrably has. */
  async adopt(number: string, dto: AdoptDto): Promise<{ communicationNumber: string }> {
    await this.database.transaction(async (tx) => {
      const [row] = await tx.query<{ id: string; state: string }>(
        `select s.record_id as id, s.state from record_state s
where s.record_id = (select id from amlyze_record where communication_number = $1) for update`,
        [number],
      );
      if (!row) throw ApiProblem.notFound('record', number);
      if (row.state !== 'held')
        throw ApiProblem.conflict(`The record is ${row.state}; only held records can be adopted.`);
      await tx.query(
        `update record_state set state = 'accepted', reason = 'adopted', in_doubt = false, settled_at = now() where record_id = $1`,
        [row.id],
      );
      await forgetCount(tx, row.id);
      await this.audit.append(tx, {
        action: 'record.adopt',
        target: `record:${number}`,
        reason: dto.reason,
        detail: { evidence: dto.evidence },
      });
    });
    return { communicationNumber: number };
  }

  /** A second look says what is there, where a reading or another operator made the next revision at the same moment. */
  private async requeue(number: string, request: RequeueRequest): Promise<RequeueAnswer> {
    try {
      return await this.requeueOnce(number, request);
    } catch (error) {
      if (violatedUnique(error) === undefined && classifyDatabaseFailure(error) !== 'conflict') throw error;
      return this.requeueOnce(number, request);
    }
  }

  private async requeueOnce(number: string, request: RequeueRequest): Promise<RequeueAnswer> {
    const identity = await this.installation.identity();
    return this.database.transaction(async (tx) => {
      const answer = await requeue(tx, number, request, { ...identity, vault: this.vault });
      if (answer.kind === 'requeued') {
        const { newNumber, confirmDouble, confirmOlder } = request;
        const detail = { communicationNumber: answer.communicationNumber, newNumber, confirmDouble, confirmOlder };
        await this.audit.append(tx, {
          action: 'record.requeue',
          target: `record:${number}`,
          reason: request.reason,
          detail,
        });
      }
      return answer;
    });
  }
}

function toDetail(answer: Exclude<RequeueAnswer, { kind: 'requeued' }>): string {
  switch (answer.kind) {
    case 'refused':
      return answer.detail;
    case 'reason-missing':
      return `A reason ${answer.message}.`;
    case 'unknown':
      return 'The record is gone.';
  }
}

function toRequest(dto: RequeueDto): RequeueRequest {
  return {
    reason: dto.reason,
    newNumber: dto.newNumber ?? false,
    confirmDouble: dto.confirmDouble ?? false,
    confirmOlder: dto.confirmOlder ?? false,
  };
}

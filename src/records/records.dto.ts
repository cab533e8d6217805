import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Check, Optional } from '../admin/check';
import { ListQuery } from '../admin/pagination';
import { flag, oneOf, rowId, text } from '../admin/rules';
import { ATTEMPT_OUTCOMES, VERDICTS, type AttemptOutcome, type Verdict } from '../outbox/attempt';
import { RECORD_STATES, REQUEUEABLE_STATES, type RecordState, type RequeueableState } from '../outbox/record-state';
import type { Explanation, ExplainedAttempt, ExplainedReading } from './explanation';
import type { RecordView } from './record-views';

export class RecordQuery extends ListQuery {
  @ApiPropertyOptional({ enum: RECORD_STATES })
  @Optional()
  @Check(oneOf(RECORD_STATES))
  state?: RecordState;

  @ApiPropertyOptional({ example: '1' })
  @Optional()
  @Check(rowId('account'))
  accountId?: string;

  @ApiPropertyOptional({ example: '12' })
  @Optional()
  @Check(rowId('run'))
  runId?: string;

  @ApiPropertyOptional({ description: "AMLYZE's code, as it came", example: 'O001' })
  @Optional()
  @Check(text(200))
  errorCode?: string;

  @ApiPropertyOptional({ example: 'Op_01_CARD_TEST' })
  @Optional()
  @Check(text(255))
  operationExtId?: string;
}

export class RequeueDto {
  @ApiPropertyOptional({
    description: 'Needed for held and rejected records',
    example: 'the account is registered at AMLYZE now',
  })
  @Optional()
  @Check(text(500))
  reason?: string;

  @ApiPropertyOptional({
    description:
      'Make the next revision with a new number, for the account as AMLYZE has it now, instead of sending the same one again; of many only with a filter',
    example: false,
  })
  @Optional()
  @Check(flag)
  newNumber?: boolean;

  @ApiPropertyOptional({
    description: 'A new number may double what AMLYZE has already; needed while in doubt or after COLLISION',
    example: false,
  })
  @Optional()
  @Check(flag)
  confirmDouble?: boolean;

  @ApiPropertyOptional({
    description: 'Send although AMLYZE has accepted a newer balance of this account and type',
    example: false,
  })
  @Optional()
  @Check(flag)
  confirmOlder?: boolean;
}

export class RequeueByFilterDto extends RequeueDto {
  @ApiPropertyOptional({ enum: REQUEUEABLE_STATES })
  @Optional()
  @Check(oneOf(REQUEUEABLE_STATES))
  state?: RequeueableState;

  @ApiPropertyOptional({ example: '1' })
  @Optional()
  @Check(rowId('account'))
  accountId?: string;

  @ApiPropertyOptional({ example: '12' })
  @Optional()
  @Check(rowId('run'))
  runId?: string;

  @ApiPropertyOptional({ example: 'O001' })
  @Optional()
  @Check(text(200))
  errorCode?: string;
}

export class AdoptDto {
  @ApiProperty({ example: 'a second environment sent it under the same number' })
  @Check(text(500))
  reason: string;

  @ApiProperty({
    description: 'What shows that AMLYZE has it',
    example: 'AMLYZE console, balance of 2026-03-05 06:00 UTC, screenshot in ticket OPS-17',
  })
  @Check(text(2000))
  evidence: string;
}

export class RecordNumberDto {
  @ApiProperty({ description: 'The number that goes out now', example: 'obg-0123456789ab-b-20260305-…' })
  communicationNumber: string;
}

class RefusedRequeueDto {
  @ApiProperty()
  communicationNumber: string;

  @ApiProperty({ example: 'A reason is required for a held record: say why sending it again is right.' })
  detail: string;
}

export class RequeueManyAnswerDto {
  @ApiProperty({ example: 20 })
  requeued: number;

  @ApiProperty({ type: [RefusedRequeueDto] })
  refused: RefusedRequeueDto[];

  @ApiProperty({
    description: 'Others may match: one call takes 5,000, and the database may have gone away on the way; call again',
  })
  more: boolean;
}

const nullableText = { type: String, nullable: true } as const;
const nullableInstant = { type: String, format: 'date-time', nullable: true } as const;

export class RecordDto implements RecordView {
  @ApiProperty({ example: 'obg-0123456789ab-b-20260305-…' }) communicationNumber: string;
  @ApiProperty({ enum: ['balance', 'operation'] }) kind: 'balance' | 'operation';
  @ApiProperty(nullableText) accountId: string | null;
  @ApiProperty({ ...nullableText, example: 'ORG20231117550' }) accountExtId: string | null;
  @ApiProperty({ ...nullableText, description: 'Of operations; their balance fields are null' })
  operationExtId: string | null;
  @ApiProperty(nullableText) runId: string | null;
  @ApiProperty({ enum: RECORD_STATES }) state: RecordState;
  @ApiProperty({
    ...nullableText,
    description:
      'Ours: COLLISION, NUMBER_CONSUMED, REJECTED_AFTER_DOUBT, SHREDDED, ACCOUNT_CHANGED, replayed, adopted …',
  })
  reason: string | null;
  @ApiProperty({ ...nullableText, description: "AMLYZE's, verbatim" }) errorCode: string | null;
  @ApiProperty({ ...nullableText, description: "AMLYZE's, verbatim" }) errorDescription: string | null;
  @ApiProperty({ description: 'AMLYZE may have it although it was not acknowledged' }) inDoubt: boolean;
  @ApiProperty({
    description: 'How often it was taken up for a call; what became of each stands in its explanation',
    example: 1,
  })
  attempts: number;
  @ApiProperty({ ...nullableText, example: 'STATEMENT_BALANCE' }) balanceType: string | null;
  @ApiProperty(nullableInstant) balanceAt: string | null;
  @ApiProperty({ ...nullableText, description: 'Decimal text, digits as sent', example: '4.200' }) value: string | null;
  @ApiProperty({ example: 1 }) revision: number;
  @ApiProperty({ ...nullableText, description: 'Number of the revision before' }) supersedes: string | null;
  @ApiProperty({ ...nullableText, description: 'bank-restatement, settings-changed, forced, corrected or new-number' })
  supersedesReason: string | null;
  @ApiProperty({ format: 'date-time' }) createdAt: string;
  @ApiProperty(nullableInstant) nextAttemptAt: string | null;
  @ApiProperty(nullableInstant) settledAt: string | null;
}

export class RecordListDto {
  @ApiProperty({ type: [RecordDto] })
  items: RecordDto[];

  @ApiProperty(nullableText)
  nextCursor: string | null;
}

export class StepDto {
  @ApiProperty({ example: 'selection' }) rule: string;
  @ApiProperty({ example: '1 of 2 reported balances has a type of the map and currency PLN.' }) text: string;
}

class ExplainedReadingDto implements ExplainedReading {
  @ApiProperty() id: string;
  @ApiProperty() outcome: string;
  @ApiProperty({ format: 'date-time' }) fetchedAt: string;
  @ApiProperty({ ...nullableText, description: 'X-Request-ID or requestID of the call' }) requestId: string | null;
  @ApiProperty({ type: Number, nullable: true }) httpStatus: number | null;
  @ApiProperty({ type: Number, nullable: true }) latencyMs: number | null;
  @ApiProperty({ ...nullableText, enum: ['bank', 'fetch'] }) balanceAtSource: string | null;
  @ApiProperty({ ...nullableText, description: "The bank's answer, as text" }) bankPayload: string | null;
}

class ExplainedAttemptDto implements ExplainedAttempt {
  @ApiProperty() attemptId: string;
  @ApiProperty() endpoint: string;
  @ApiProperty() replica: string;
  @ApiProperty() records: number;
  @ApiProperty({ format: 'date-time' }) startedAt: string;
  @ApiProperty(nullableInstant) finishedAt: string | null;
  @ApiProperty({ type: Number, nullable: true }) httpStatus: number | null;
  @ApiProperty({
    ...nullableText,
    enum: ATTEMPT_OUTCOMES,
    description:
      'How the call ended, null while it is under way. answered: record by record; refused as a whole; failed: no answer, or none to rely on; ' +
      'given-back: not waited for any more, or never made; lost: its lease ran out',
  })
  outcome: AttemptOutcome | null;
  @ApiProperty(nullableText) detail: string | null;
  @ApiProperty({ type: Number, nullable: true }) latencyMs: number | null;
  @ApiProperty({
    ...nullableText,
    enum: VERDICTS,
    description:
      'What the call came to for this record, null while it is under way. accepted, rejected, held: by what AMLYZE said about it; in-doubt: it may ' +
      'have arrived; refused: with the whole call, whatever it was; not-sent: no byte of it left. The last three are sent again',
  })
  verdict: Verdict | null;
  @ApiProperty(nullableText) reason: string | null;
  @ApiProperty(nullableText) errorCode: string | null;
  @ApiProperty(nullableText) errorDescription: string | null;
  @ApiProperty({ ...nullableText, description: 'What AMLYZE said about this record' }) answer: string | null;
  @ApiProperty({ description: 'The answer came after the claim was lost; it changed nothing' }) late: boolean;
}

export class ExplanationDto extends RecordDto implements Explanation {
  @ApiProperty(nullableText) supersededBy: string | null;
  @ApiProperty({ type: ExplainedReadingDto, nullable: true }) reading: ExplainedReadingDto | null;
  @ApiProperty({ type: [StepDto], description: 'As the mapping wrote them down at the read' }) steps: StepDto[];
  @ApiProperty({
    ...nullableText,
    description: 'The frozen bytes; card data in them masked, null once it was shredded',
  })
  frozenRequest: string | null;
  @ApiProperty({ ...nullableText, description: 'Not where the bytes hold card data' })
  frozenRequestSha256: string | null;
  @ApiProperty({ ...nullableText, description: 'Why frozenRequest is not the very text that is sent' })
  frozenRequestNote: string | null;
  @ApiProperty({ type: [ExplainedAttemptDto] }) attemptLog: ExplainedAttemptDto[];
}

import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Check, Optional } from '../admin/check';
import { ListQuery } from '../admin/pagination';
import { isRowId } from '../admin/row-id';
import { flag, oneOf, rowId, text } from '../admin/rules';
import { READING_OUTCOMES, type ReadingOutcome } from '../balances/outcome';
import type { ReadingView } from './reading-views';
import type { RunView } from './run-views';

const MAX_ACCOUNT_IDS = 10_000;

const rowIds = (value: unknown): string | undefined =>
  Array.isArray(value) && value.length > 0 && value.length <= MAX_ACCOUNT_IDS && value.every(isRowId)
    ? undefined
    : `must be a list of 1 to ${MAX_ACCOUNT_IDS} account ids, each as text`;
const trueOnly = (value: unknown): string | undefined =>
  value === true ? undefined : 'must be true; leave the field out otherwise';

/** Which accounts to read now: exactly one of `all`, `accountIds`, `consentId`, `connectionId`. */
export class ResyncDto {
  @ApiPropertyOptional({ description: 'All active accounts', example: true })
  @Optional()
  @Check(trueOnly)
  all?: true;

  @ApiPropertyOptional({ type: [String], example: ['1', '2'] })
  @Optional()
  @Check(rowIds)
  accountIds?: string[];

  @ApiPropertyOptional({ description: 'Our id of a consent', example: '3' })
  @Optional()
  @Check(rowId('consent'))
  consentId?: string;

  @ApiPropertyOptional({ example: '1' })
  @Optional()
  @Check(rowId('connection'))
  connectionId?: string;

  @ApiPropertyOptional({
    description: 'Makes a new record with a new number although the balance did not change; needs `reason`',
    example: false,
  })
  @Optional()
  @Check(flag)
  force?: boolean;

  @ApiPropertyOptional({
    description: 'Why, for the audit trail; needed with `force`',
    example: 'AMLYZE lost the records of 5 March',
  })
  @Optional()
  @Check(text(500))
  reason?: string;

  @ApiPropertyOptional({ description: 'Needed with `force` and `all`', example: true })
  @Optional()
  @Check(trueOnly)
  confirm?: true;
}

export class ResyncAnswerDto {
  @ApiProperty({ example: '12' })
  runId: string;

  @ApiProperty({
    description: 'Accounts that the run concerns; of more than 100,000 some are put in after the answer',
    example: 400,
  })
  accounts: number;
}

export class RunDto implements RunView {
  @ApiProperty({ example: '12' })
  id: string;

  @ApiProperty({ enum: ['schedule', 'resync'] })
  trigger: 'schedule' | 'resync';

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'The slot of a scheduled run' })
  slot: string | null;

  @ApiProperty({
    type: Object,
    description:
      'Which accounts were meant. Of more than ten `accountIds` a list of runs shows the first ten, with the number of the others as `moreAccountIds`',
    example: { all: true },
  })
  scope: unknown;

  @ApiProperty({ example: false })
  force: boolean;

  @ApiProperty({ type: String, nullable: true, example: null })
  reason: string | null;

  @ApiProperty({
    enum: ['running', 'finished'],
    description: '`finished` once every account of the run has an outcome',
  })
  status: 'running' | 'finished';

  @ApiProperty({ format: 'date-time' })
  startedAt: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  finishedAt: string | null;

  @ApiProperty({ description: 'Accounts that are in the run so far', example: 400 })
  accounts: number;

  @ApiProperty({ type: Object, description: 'Accounts by outcome', example: { READ: 380, CURRENCY_MISMATCH: 20 } })
  outcomes: Record<string, number>;

  @ApiProperty({
    type: Object,
    description: 'Records that the run made, by state',
    example: { accepted: 378, rejected: 2 },
  })
  records: Record<string, number>;
}

export class RunListDto {
  @ApiProperty({ type: [RunDto] })
  items: RunDto[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor: string | null;
}

export class ReadingQuery extends ListQuery {
  @ApiPropertyOptional({ example: '1' })
  @Optional()
  @Check(rowId('account'))
  accountId?: string;

  @ApiPropertyOptional({ example: '12' })
  @Optional()
  @Check(rowId('run'))
  runId?: string;

  @ApiPropertyOptional({ enum: READING_OUTCOMES })
  @Optional()
  @Check(oneOf(READING_OUTCOMES))
  outcome?: ReadingOutcome;
}

export class ReadingDto implements ReadingView {
  @ApiProperty({ example: '77' })
  id: string;

  @ApiProperty({ example: '1' })
  accountId: string;

  @ApiProperty({ example: 'ORG20231117550' })
  accountExtId: string;

  @ApiProperty({ type: String, nullable: true, example: '12' })
  runId: string | null;

  @ApiProperty({ enum: READING_OUTCOMES })
  outcome: ReadingOutcome;

  @ApiProperty({ type: String, nullable: true, description: 'Why it is not READ, for operators' })
  reason: string | null;

  @ApiPropertyOptional({ format: 'date-time', description: 'When the bank may be asked again' })
  nextReadAt?: string;

  @ApiProperty({ format: 'date-time' })
  fetchedAt: string;

  @ApiPropertyOptional({ format: 'date-time' })
  balanceAt?: string;

  @ApiPropertyOptional({ enum: ['bank', 'fetch'] })
  balanceAtSource?: 'bank' | 'fetch';

  @ApiPropertyOptional({
    description: 'Of the record that carries this balance: of several balances the first that has one',
  })
  communicationNumber?: string;

  @ApiPropertyOptional({
    description: 'The reading itself, where it was made once for several runs and another run has it',
  })
  firstReadingId?: string;
}

export class ReadingListDto {
  @ApiProperty({ type: [ReadingDto] })
  items: ReadingDto[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor: string | null;
}

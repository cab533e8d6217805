import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Check, Optional, OptionalOrNull } from '../admin/check';
import { ListQuery } from '../admin/pagination';
import { oneOf, rowId, text } from '../admin/rules';
import { ACCOUNT_RULES } from './account-rules';
import type { PendingRecords } from './pending-records';

export class CreateAccountDto {
  @ApiProperty({ description: 'Our id of the consent', example: '3' })
  @Check(ACCOUNT_RULES.consentId)
  consentId: string;

  @ApiProperty({
    description: 'What the provider calls the account',
    maxLength: 255,
    example: 'DE89370400440532013000',
  })
  @Check(ACCOUNT_RULES.providerAccountId)
  providerAccountId: string;

  @ApiProperty({ description: 'ISO 4217; must be the currency of the account in AMLYZE', example: 'EUR' })
  @Check(ACCOUNT_RULES.currency)
  currency: string;

  @ApiProperty({ description: 'The id by which AMLYZE knows the account', maxLength: 255, example: 'ACC-000017' })
  @Check(ACCOUNT_RULES.accountExtId)
  accountExtId: string;

  @ApiPropertyOptional({ description: "AMLYZE's grouping; leave out unless AMLYZE asked for it", example: 'LT' })
  @Optional()
  @Check(ACCOUNT_RULES.businessUnit)
  businessUnit?: string;
}

export class UpdateAccountDto {
  @ApiPropertyOptional({ description: 'Another consent of the same connection and bank', example: '4' })
  @Optional()
  @Check(ACCOUNT_RULES.consentId)
  consentId?: string;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    description:
      "The provider's balance type that the account's series is made of from now on; null: the next reading decides anew",
    example: 'InterimBooked',
  })
  @OptionalOrNull()
  @Check(text(100))
  pinnedType?: string | null;

  @ApiPropertyOptional({ enum: ['active'], description: 'Opens a closed account again' })
  @Optional()
  @Check(oneOf(['active']))
  status?: 'active';

  @ApiPropertyOptional({
    description: 'Needs a reason: AMLYZE sees another account from now on',
    example: 'ACC-000018',
  })
  @Optional()
  @Check(ACCOUNT_RULES.accountExtId)
  accountExtId?: string;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    description: 'Needs a reason; null takes it away',
    example: 'LT',
  })
  @OptionalOrNull()
  @Check(ACCOUNT_RULES.businessUnit)
  businessUnit?: string | null;

  @ApiPropertyOptional({ description: 'Goes to the audit trail', example: 'wrong customer file' })
  @Optional()
  @Check(text(500))
  reason?: string;
}

export class AccountQuery extends ListQuery {
  @ApiPropertyOptional({ example: '3' })
  @Optional()
  @Check(rowId('consent'))
  consentId?: string;

  @ApiPropertyOptional({ example: '17' })
  @Optional()
  @Check(rowId('connection'))
  connectionId?: string;

  @ApiPropertyOptional({ enum: ['active', 'closed'] })
  @Optional()
  @Check(oneOf(['active', 'closed']))
  status?: 'active' | 'closed';

  @ApiPropertyOptional({ example: 'ACC-000017' })
  @Optional()
  @Check(ACCOUNT_RULES.accountExtId)
  accountExtId?: string;
}

export class AccountDto {
  @ApiProperty({ example: '42' })
  id: string;

  @ApiProperty({ example: '3' })
  consentId: string;

  @ApiProperty({ example: '17' })
  connectionId: string;

  @ApiProperty({ type: String, nullable: true, description: 'That of the consent', example: 'BANK01' })
  bankCode: string | null;

  @ApiProperty({ example: 'DE89370400440532013000' })
  providerAccountId: string;

  @ApiProperty({ example: 'EUR' })
  currency: string;

  @ApiProperty({ example: 'ACC-000017' })
  accountExtId: string;

  @ApiProperty({ type: String, nullable: true, example: null })
  businessUnit: string | null;

  @ApiProperty({ enum: ['active', 'closed'] })
  status: 'active' | 'closed';

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  closedAt: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: "The provider's balance type that the series is made of; null before the first record",
    example: 'ClosingBooked',
  })
  pinnedType: string | null;

  @ApiProperty({
    type: Object,
    description: 'The same by AMLYZE balance type, where the connection maps to several',
    example: { STATEMENT_BALANCE: 'ClosingBooked' },
  })
  pinnedTypes: Record<string, string>;

  @ApiProperty({ format: 'date-time', example: '2027-01-31T12:00:00.000Z' })
  createdAt: string;

  @ApiProperty({ format: 'date-time', example: '2027-01-31T12:00:00.000Z' })
  updatedAt: string;
}

export class UpdatedAccountDto extends AccountDto implements PendingRecords {
  @ApiProperty({
    description:
      'Records that waited for AMLYZE under the former accountExtId or businessUnit: held, ACCOUNT_CHANGED, and not sent',
    example: 0,
  })
  recordsHeld: number;

  @ApiProperty({
    description:
      'Records under the former name that AMLYZE may have; they go on until it answers, and are held where they come back unsent',
    example: 0,
  })
  recordsUnderWay: number;
}

export class LastReadingDto {
  @ApiProperty({ example: '981' })
  id: string;

  @ApiProperty({ type: String, nullable: true, example: '12' })
  runId: string | null;

  @ApiProperty({ example: 'READ' })
  outcome: string;

  @ApiProperty({ type: String, nullable: true, example: null })
  reason: string | null;

  @ApiProperty({ format: 'date-time', example: '2027-01-31T12:00:01.204Z' })
  fetchedAt: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2027-01-31T11:59:00.000Z' })
  balanceAt: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'obg-1f0c…' })
  communicationNumber: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  nextReadAt: string | null;
}

export class LastAcceptedRecordDto {
  @ApiProperty({ example: 'obg-1f0c…' })
  communicationNumber: string;

  @ApiProperty({ example: 'STATEMENT_BALANCE' })
  balanceType: string;

  @ApiProperty({ format: 'date-time', example: '2027-01-31T11:59:00.000Z' })
  balanceAt: string;

  @ApiProperty({ description: 'Decimal', example: '1520.40' })
  value: string;

  @ApiProperty({ format: 'date-time', example: '2027-01-31T12:00:02.011Z' })
  settledAt: string;
}

export class AccountDetailsDto extends AccountDto {
  @ApiProperty({ type: LastReadingDto, nullable: true })
  lastReading: LastReadingDto | null;

  @ApiProperty({ type: LastAcceptedRecordDto, nullable: true })
  lastAcceptedRecord: LastAcceptedRecordDto | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'null for a closed account' })
  nextSlot: string | null;
}

export class AccountListDto {
  @ApiProperty({ type: [AccountDto] })
  items: AccountDto[];

  @ApiProperty({ type: String, nullable: true, example: null })
  nextCursor: string | null;
}

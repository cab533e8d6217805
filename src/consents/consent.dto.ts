import { ApiProperty, ApiPropertyOptional, PartialType, PickType } from '@nestjs/swagger';
import { Check, Optional, OptionalOrNull } from '../admin/check';
import { ListQuery } from '../admin/pagination';
import { headerText, instant, oneOf, rowId, text, wholeNumber } from '../admin/rules';
import { CONSENT_STATUSES, type ConsentStatus } from './consent-status';

/** More unattended reads per day need an agreement with the bank (RTS 2018/389, Art. 36(5)(b)). */
export const READS_WITHOUT_AGREEMENT = 4;
const MAX_READS_PER_DAY = 1_440;

export class CreateConsentDto {
  @ApiProperty({ description: 'Our id of the connection', example: '17' })
  @Check(rowId('connection'))
  connectionId: string;

  @ApiProperty({ description: "The bank's id of the consent", maxLength: 255, example: 'f9c5a2d7-0001' })
  @Check(headerText(255))
  consentId: string;

  @ApiPropertyOptional({
    description: 'The bank behind the provider: OneSingleView needs it, myPOS has none',
    example: 'BANK01',
  })
  @Optional()
  @Check(text(100))
  bankCode?: string;

  @ApiPropertyOptional({ description: 'Stored encrypted, never returned (myPOS needs it)', example: '<access token>' })
  @Optional()
  @Check(headerText(8_192))
  accessToken?: string;

  @ApiPropertyOptional({ format: 'date-time', example: '2027-01-31T12:00:00Z' })
  @Optional()
  @Check(instant)
  accessTokenExpiresAt?: string;

  @ApiPropertyOptional({ description: 'Stored encrypted, never returned', example: '<refresh token>' })
  @Optional()
  @Check(headerText(8_192))
  refreshToken?: string;

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'No read is made after it',
    example: '2027-06-30T00:00:00Z',
  })
  @Optional()
  @Check(instant)
  validUntil?: string;

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'Last strong authentication',
    example: '2027-01-01T09:00:00Z',
  })
  @Optional()
  @Check(instant)
  scaPerformedAt?: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_READS_PER_DAY,
    default: READS_WITHOUT_AGREEMENT,
    description: 'Unattended reads in the window of 24 hours; above 4 needs agreementReference',
  })
  @Optional()
  @Check(wholeNumber(1, MAX_READS_PER_DAY))
  frequencyPerDay?: number;

  @ApiPropertyOptional({
    description: 'The agreement with the bank that allows more than 4 reads',
    example: 'AG-2027-3',
  })
  @Optional()
  @Check(text(255))
  agreementReference?: string;
}

/** Fields of a consent that may change as they are; absent ones stay. */
class ChangeableDto extends PartialType(PickType(CreateConsentDto, ['consentId', 'accessToken', 'frequencyPerDay']), {
  skipNullProperties: false,
}) {}

export class UpdateConsentDto extends ChangeableDto {
  @ApiPropertyOptional({ type: String, format: 'date-time', nullable: true })
  @OptionalOrNull()
  @Check(instant)
  accessTokenExpiresAt?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, description: 'null takes the stored one away' })
  @OptionalOrNull()
  @Check(headerText(8_192))
  refreshToken?: string | null;

  @ApiPropertyOptional({ type: String, format: 'date-time', nullable: true, example: '2027-12-31T00:00:00Z' })
  @OptionalOrNull()
  @Check(instant)
  validUntil?: string | null;

  @ApiPropertyOptional({ type: String, format: 'date-time', nullable: true })
  @OptionalOrNull()
  @Check(instant)
  scaPerformedAt?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, example: 'AG-2027-3' })
  @OptionalOrNull()
  @Check(text(255))
  agreementReference?: string | null;

  @ApiPropertyOptional({ enum: CONSENT_STATUSES, description: '`valid` lets reads go on after a stop' })
  @Optional()
  @Check(oneOf(CONSENT_STATUSES))
  status?: ConsentStatus;

  @ApiPropertyOptional({ description: 'Goes to the audit trail', example: 'renewed by the PSU' })
  @Optional()
  @Check(text(500))
  reason?: string;
}

export class ConsentQuery extends ListQuery {
  @ApiPropertyOptional({ description: 'Only consents of this connection', example: '17' })
  @Optional()
  @Check(rowId('connection'))
  connectionId?: string;
}

export class ConsentStopDto {
  @ApiProperty({ enum: ['CONSENT_REQUIRED', 'TOKEN_REJECTED'] })
  outcome: string;

  @ApiProperty({ type: String, nullable: true, example: '401 CONSENT_EXPIRED' })
  reason: string | null;

  @ApiProperty({ format: 'date-time', example: '2027-01-31T12:00:00.000Z' })
  at: string;
}

export class ConsentDto {
  @ApiProperty({ example: '3' })
  id: string;

  @ApiProperty({ example: '17' })
  connectionId: string;

  @ApiProperty({ example: 'f9c5a2d7-0001' })
  consentId: string;

  @ApiProperty({ type: String, nullable: true, example: 'BANK01' })
  bankCode: string | null;

  @ApiProperty({ enum: CONSENT_STATUSES, description: '`expired` also where validUntil has passed since' })
  status: ConsentStatus;

  @ApiProperty({
    type: ConsentStopDto,
    nullable: true,
    description: 'Why no account of it is read until it is renewed',
  })
  stop: ConsentStopDto | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2027-06-30T00:00:00.000Z' })
  validUntil: string | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Whole days until validUntil, 0 when past',
    example: 150,
  })
  daysLeft: number | null;

  @ApiProperty({
    type: 'integer',
    description:
      'Unattended reads left in the window. Where the budget is counted per account, that of the account with the fewest left',
    example: 2,
  })
  readsLeft: number;

  @ApiProperty({ example: 4 })
  frequencyPerDay: number;

  @ApiProperty({ type: String, nullable: true, example: null })
  agreementReference: string | null;

  @ApiProperty({ example: true })
  hasAccessToken: boolean;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  accessTokenExpiresAt: string | null;

  @ApiProperty({ example: false })
  hasRefreshToken: boolean;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  scaPerformedAt: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Wait that the bank asked for' })
  notBefore: string | null;

  @ApiProperty({ type: String, nullable: true, example: null })
  notBeforeReason: string | null;

  @ApiProperty({ format: 'date-time', example: '2027-01-31T12:00:00.000Z' })
  createdAt: string;

  @ApiProperty({ format: 'date-time', example: '2027-01-31T12:00:00.000Z' })
  updatedAt: string;
}

export class ConsentListDto {
  @ApiProperty({ type: [ConsentDto] })
  items: ConsentDto[];

  @ApiProperty({ type: String, nullable: true, example: null })
  nextCursor: string | null;
}

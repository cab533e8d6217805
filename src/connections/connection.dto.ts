import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Check, Optional } from '../admin/check';
import { jsonObject, oneOf, text } from '../admin/rules';

const SETTINGS_EXAMPLE = {
  merchantId: 'APIS-300505',
  creditLine: 'own-funds',
  balanceTypes: [{ type: 'ClosingBooked', code: 'STATEMENT_BALANCE' }],
  timeZone: 'Asia/Riyadh',
};

const SECRETS_EXAMPLE = { clientId: '<client id>', clientCode: '<client code>', signatureKey: '<signature key>' };

export class CreateConnectionDto {
  @ApiProperty({ description: 'For people; unique', minLength: 1, maxLength: 100, example: 'OneSingleView production' })
  @Check(text(100))
  name: string;

  @ApiProperty({ description: 'The bank API: mypos or onesingleview', example: 'onesingleview' })
  @Check(text(100))
  provider: string;

  @ApiProperty({ description: 'https URL without credentials, query or fragment', example: 'https://api.bank.example' })
  @Check(text(2048))
  baseUrl: string;

  @ApiPropertyOptional({ type: Object, description: "The provider's settings", example: SETTINGS_EXAMPLE })
  @Optional()
  @Check(jsonObject)
  settings?: Record<string, unknown>;

  @ApiPropertyOptional({
    type: Object,
    description: "The provider's secrets, by name. Stored encrypted, never returned",
    example: SECRETS_EXAMPLE,
  })
  @Optional()
  @Check(jsonObject)
  secrets?: Record<string, unknown>;
}

export class UpdateConnectionDto {
  @ApiPropertyOptional({ minLength: 1, maxLength: 100, example: 'OneSingleView production' })
  @Optional()
  @Check(text(100))
  name?: string;

  @ApiPropertyOptional({ example: 'https://api.bank.example' })
  @Optional()
  @Check(text(2048))
  baseUrl?: string;

  @ApiPropertyOptional({
    type: Object,
    description: 'Settings to change: each replaces the stored one, null takes it away',
    example: { timeoutMs: 5000, timeZone: null },
  })
  @Optional()
  @Check(jsonObject)
  settings?: Record<string, unknown>;

  @ApiPropertyOptional({
    type: Object,
    description: 'Secrets to change: text replaces the stored one, null takes an optional one away',
    example: { clientKeyPassphrase: null },
  })
  @Optional()
  @Check(jsonObject)
  secrets?: Record<string, unknown>;

  @ApiPropertyOptional({
    enum: ['active', 'paused'],
    description: '`active` also ends a pause and a waiting time that the gateway or the bank has set',
  })
  @Optional()
  @Check(oneOf(['active', 'paused']))
  status?: 'active' | 'paused';

  @ApiPropertyOptional({
    description: 'Needed for pausing; goes to the audit trail',
    example: 'maintenance at the bank',
  })
  @Optional()
  @Check(text(500))
  reason?: string;
}

export class ConnectionDto {
  @ApiProperty({ example: '17' })
  id: string;

  @ApiProperty({ example: 'OneSingleView production' })
  name: string;

  @ApiProperty({ example: 'onesingleview' })
  provider: string;

  @ApiProperty({ example: 'https://api.bank.example' })
  baseUrl: string;

  @ApiProperty({ type: Object, description: 'What is in force, defaults included', example: SETTINGS_EXAMPLE })
  settings: Record<string, unknown>;

  @ApiProperty({ type: [String], description: 'Which secrets are stored', example: ['clientCode', 'clientId'] })
  secretNames: string[];

  @ApiProperty({ enum: ['active', 'paused'] })
  status: 'active' | 'paused';

  @ApiProperty({ type: String, nullable: true, example: null })
  pauseReason: string | null;

  @ApiProperty({ type: String, enum: ['operator', 'gateway'], nullable: true, example: null })
  pausedBy: 'operator' | 'gateway' | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  pausedAt: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'The bank asked not to be called before',
    example: null,
  })
  notBefore: string | null;

  @ApiProperty({ type: String, nullable: true, example: null })
  notBeforeReason: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Since when the bank is unavailable and its reads wait; null while it answers',
    example: null,
  })
  unavailableSince: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Why, by the last call; null while the bank answers',
    example: null,
  })
  unavailableReason: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description:
      'When the bank is probed next; a time that has passed: with the next read that is due. null while it answers',
    example: null,
  })
  nextProbeAt: string | null;

  @ApiProperty({ format: 'date-time', example: '2027-01-31T12:00:00.000Z' })
  createdAt: string;

  @ApiProperty({ format: 'date-time', example: '2027-01-31T12:00:00.000Z' })
  updatedAt: string;
}

export class ConnectionListDto {
  @ApiProperty({ type: [ConnectionDto] })
  items: ConnectionDto[];

  @ApiProperty({ type: String, nullable: true, example: null })
  nextCursor: string | null;
}

export class ConnectionCheckDto {
  @ApiProperty({ example: true })
  ok: boolean;

  @ApiProperty({ description: 'Milliseconds', example: 84 })
  latencyMs: number;

  @ApiProperty({ example: 'token issued' })
  detail: string;
}

import { ApiProperty } from '@nestjs/swagger';

const nullableText = { type: String, nullable: true } as const;
const nullableInstant = { type: String, format: 'date-time', nullable: true } as const;
const counts = { type: 'object', additionalProperties: { type: 'integer' } } as const;

class SlotsDto {
  @ApiProperty({ description: 'SYNC_CRON', example: '0 6,12,18 * * *' }) cron: string;
  @ApiProperty({ ...nullableInstant, description: 'The newest that has a run' }) last: string | null;
  @ApiProperty({ ...nullableInstant, description: 'The newest whose run is over' }) lastFinished: string | null;
  @ApiProperty({ format: 'date-time' }) next: string;
}

class EndpointStatusDto {
  @ApiProperty({ example: 'balances' }) endpoint: string;
  @ApiProperty({ ...nullableText, enum: ['backoff', 'rate-limit', 'operator'] })
  pause: 'backoff' | 'rate-limit' | 'operator' | null;
  @ApiProperty({ ...nullableText, example: 'status 401: no such token' }) reason: string | null;
  @ApiProperty(nullableInstant) since: string | null;
  @ApiProperty({ ...nullableInstant, description: 'When it is probed next' }) until: string | null;
  @ApiProperty({ description: 'AMLYZE refused the token or address of this replica; others may get through' })
  refusesThisReplica: boolean;
  @ApiProperty(nullableInstant) lastSuccessAt: string | null;
  @ApiProperty({ type: 'integer', nullable: true, description: 'Where AMLYZE wants fewer records in a call' })
  batchLimit: number | null;
}

class BacklogDto {
  @ApiProperty({ ...counts, description: 'Records that are not accepted, by state', example: { pending: 12, held: 1 } })
  states: Record<string, number>;
  @ApiProperty(nullableInstant) oldestPendingAt: string | null;
  @ApiProperty({ type: 'integer' }) oldestPendingSeconds: number;
}

class ConnectionStatusDto {
  @ApiProperty({ example: '17' }) id: string;
  @ApiProperty({ example: 'OneSingleView production' }) name: string;
  @ApiProperty({ example: 'onesingleview' }) provider: string;
  @ApiProperty({ enum: ['active', 'paused'] }) status: string;
  @ApiProperty(nullableText) pauseReason: string | null;
  @ApiProperty({ ...nullableText, enum: ['operator', 'gateway'] }) pausedBy: string | null;
  @ApiProperty({ ...nullableInstant, description: 'The bank asked not to be called before' }) notBefore: string | null;
  @ApiProperty(nullableInstant) unavailableSince: string | null;
  @ApiProperty(nullableText) unavailableReason: string | null;
  @ApiProperty(nullableInstant) nextProbeAt: string | null;
  @ApiProperty({ type: 'integer', description: 'Active ones' }) accounts: number;
  @ApiProperty({ type: 'integer', description: 'Consents that nothing is read under' }) stoppedConsents: number;
}

class OperationsStatusDto {
  @ApiProperty({ enum: ['off', 'without-monitoring'] }) import: string;
  @ApiProperty({ enum: ['single', 'batch'] }) delivery: string;
  @ApiProperty() preflight: boolean;
  @ApiProperty({ enum: ['refuse', 'encrypt'] }) cardData: string;
  @ApiProperty({ example: 24 }) cardDataRetentionHours: number;
}

class LastRunDto {
  @ApiProperty({ example: '12' }) runId: string;
  @ApiProperty(nullableInstant) slot: string | null;
  @ApiProperty({ ...counts, example: { READ: 380, CURRENCY_MISMATCH: 20 } }) outcomes: Record<string, number>;
}

export class StatusDto {
  @ApiProperty({ example: '0.1.0' }) version: string;
  @ApiProperty({ description: 'The one that answers' }) replica: string;
  @ApiProperty({ format: 'date-time', description: 'Of the counts; at most a few seconds ago' }) now: string;
  @ApiProperty({ type: SlotsDto }) slots: SlotsDto;
  @ApiProperty({ type: [EndpointStatusDto] }) amlyze: EndpointStatusDto[];
  @ApiProperty({ type: BacklogDto }) backlog: BacklogDto;
  @ApiProperty({ type: [ConnectionStatusDto], description: '500 at most, those that are paused or unavailable first' })
  connections: ConnectionStatusDto[];
  @ApiProperty({ type: 'integer' }) connectionsTotal: number;
  @ApiProperty({ description: 'Whether some are left out' }) connectionsTruncated: boolean;
  @ApiProperty({ type: OperationsStatusDto }) operations: OperationsStatusDto;
  @ApiProperty({ type: LastRunDto, nullable: true, description: 'The newest run of all accounts that is over' })
  accounts: LastRunDto | null;
}

export class ResumedDto {
  @ApiProperty({ type: [String], description: 'Endpoints that were paused', example: ['balances'] })
  resumed: string[];
}

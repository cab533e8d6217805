import { ApiProperty } from '@nestjs/swagger';

export class LiveDto {
  @ApiProperty({ enum: ['ok'] })
  status: 'ok';
}

const parts = {
  type: 'object',
  additionalProperties: { type: 'object', properties: { status: { type: 'string' } }, additionalProperties: true },
} as const;

export class ReadyDto {
  @ApiProperty({ enum: ['ok', 'degraded', 'error', 'shutting_down'] })
  status: string;

  @ApiProperty({ ...parts, description: 'The parts that work, or are degraded' })
  info: Record<string, object>;

  @ApiProperty({ ...parts, description: 'The parts that do not' })
  error: Record<string, object>;

  @ApiProperty({
    ...parts,
    description: 'All parts: database, migrations, delivery, outbox, schedule',
    example: { database: { status: 'up' }, delivery: { status: 'degraded', paused: true } },
  })
  details: Record<string, object>;
}

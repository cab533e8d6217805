import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Check } from '../admin/check';
import { oneOf } from '../admin/rules';
import { READING_OUTCOMES } from '../balances/outcome';

export class PreviewRequestDto {
  @ApiProperty({
    enum: ['stored', 'live'],
    description:
      '`stored` maps the latest answer of the bank with the settings of today; `live` asks the bank now, which costs one read of the budget',
  })
  @Check(oneOf(['stored', 'live']))
  source: 'stored' | 'live';
}

export class PreviewedRecordDto {
  @ApiProperty({ enum: ['would-be-sent', 'unchanged', 'older-than-sent'], description: 'What a read would do with it' })
  disposition: 'would-be-sent' | 'unchanged' | 'older-than-sent';

  @ApiProperty({ description: 'Where the bank gives no time, the number that the next slot would give' })
  communicationNumber: string;

  @ApiProperty() requester: string;
  @ApiProperty({ example: 'STATEMENT_BALANCE' }) balanceType: string;
  @ApiProperty() accountExtId: string;
  @ApiPropertyOptional() businessUnit?: string;
  @ApiProperty({ format: 'date-time' }) balanceAt: string;
  @ApiProperty({ example: '4.200', description: 'Decimal text; a number in the frozen bytes' }) value: string;
  @ApiPropertyOptional({ description: 'Decimal text; a number in the frozen bytes' }) equivalentValue?: string;
  @ApiProperty({ description: 'The exact bytes' }) frozenRequest: string;
}

class PreviewStepDto {
  @ApiProperty({ example: 'selection' }) rule: string;
  @ApiProperty() text: string;
}

export class PreviewDto {
  @ApiProperty({ enum: ['stored', 'live'] }) source: 'stored' | 'live';
  @ApiProperty({ enum: READING_OUTCOMES }) outcome: string;
  @ApiProperty({ type: String, nullable: true }) reason: string | null;
  @ApiProperty({ format: 'date-time' }) fetchedAt: string;
  @ApiProperty({ type: String, nullable: true, description: "The bank's answer, as text" }) bankPayload: string | null;
  @ApiProperty({ type: [PreviewStepDto] }) steps: PreviewStepDto[];
  @ApiProperty({ type: PreviewedRecordDto, nullable: true, description: 'The first of `records`' })
  record: PreviewedRecordDto | null;
  @ApiProperty({ type: [PreviewedRecordDto], description: 'One per AMLYZE balance type of the map' })
  records: PreviewedRecordDto[];
}

import { ApiProperty } from '@nestjs/swagger';
import { FieldErrorDto } from '../admin/open-api';
import { FINDING_KINDS, type FindingKind } from './import-ledger';

const COUNT = { type: 'integer', minimum: 0 } as const;

export class OperationAnswerDto {
  @ApiProperty({ example: '12' })
  importId: string;

  @ApiProperty({
    enum: ['taken', 'unchanged', 'restored'],
    description:
      'unchanged: the same content is known, the first result stands; restored: its shredded card data is there again',
  })
  result: 'taken' | 'unchanged' | 'restored';

  @ApiProperty({ description: 'Look it up under /admin/records', example: 'obg-0123456789ab-o-20240816-…' })
  communicationNumber: string;

  @ApiProperty({ type: [FieldErrorDto], description: 'It is sent although this looks odd' })
  warnings: FieldErrorDto[];

  @ApiProperty({ type: [FieldErrorDto], description: 'Fields that were given and are not sent' })
  dropped: FieldErrorDto[];
}

class RefusedOperationDto {
  @ApiProperty({ description: 'Place in the list, from 1', example: 17 })
  line: number;

  @ApiProperty({ type: String, nullable: true, description: 'Masked where it could be a card number' })
  operationExtId: string | null;

  @ApiProperty({ type: [FieldErrorDto] })
  errors: FieldErrorDto[];
}

class NotedOperationDto {
  @ApiProperty({ example: 18 }) line: number;
  @ApiProperty({ type: [FieldErrorDto] }) warnings: FieldErrorDto[];
  @ApiProperty({ type: [FieldErrorDto] }) dropped: FieldErrorDto[];
}

export class OperationListAnswerDto {
  @ApiProperty({ example: '12' })
  importId: string;

  @ApiProperty({ ...COUNT, example: 998 })
  taken: number;

  @ApiProperty({ ...COUNT, description: 'Known with the same content: the first result stands', example: 1 })
  unchanged: number;

  @ApiProperty({ type: [RefusedOperationDto] })
  refused: RefusedOperationDto[];

  @ApiProperty({ type: [NotedOperationDto], description: 'Taken or known ones with something odd' })
  warned: NotedOperationDto[];

  @ApiProperty({ type: [String], description: 'About the import as a whole' })
  warnings: string[];
}

export class OperationImportDto {
  @ApiProperty({ example: '12' })
  importId: string;

  @ApiProperty({ enum: ['json', 'ndjson', 'csv'] })
  source: string;

  @ApiProperty({
    enum: ['running', 'finished', 'interrupted'],
    description: 'interrupted: send the same body with the same Idempotency-Key again',
  })
  status: string;

  @ApiProperty({ ...COUNT, description: 'Lines with content that are done', example: 100_000 })
  lines: number;

  @ApiProperty({ ...COUNT, example: 99_990 })
  taken: number;

  @ApiProperty({ ...COUNT, example: 8 })
  unchanged: number;

  @ApiProperty({ ...COUNT, description: 'Refused by a rule, or in conflict with what is known', example: 2 })
  refused: number;

  @ApiProperty({ ...COUNT, description: 'Lines with warnings or dropped fields', example: 0 })
  warned: number;

  @ApiProperty({ type: 'integer', description: 'First line that is not stored yet', example: 100_001 })
  nextLine: number;

  @ApiProperty({ format: 'date-time' })
  startedAt: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  finishedAt: string | null;

  @ApiProperty({ type: [String], description: 'About the import as a whole' })
  warnings: string[];
}

class LineFindingDto {
  @ApiProperty({ description: 'From 1; empty lines and a header row count', example: 17 })
  line: number;

  @ApiProperty({ enum: FINDING_KINDS })
  kind: FindingKind;

  @ApiProperty({ type: String, nullable: true, description: 'Masked where it could be a card number' })
  operationExtId: string | null;

  @ApiProperty({ type: [FieldErrorDto] })
  findings: FieldErrorDto[];
}

export class OperationImportDetailsDto extends OperationImportDto {
  @ApiProperty({ type: [LineFindingDto], description: 'Of every refused or odd line, in order; a page of them' })
  items: LineFindingDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Hand it back as cursor for the next page' })
  nextCursor: string | null;
}

export class OperationImportListDto {
  @ApiProperty({ type: [OperationImportDto] })
  items: OperationImportDto[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor: string | null;
}

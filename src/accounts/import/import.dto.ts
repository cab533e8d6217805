import { ApiProperty } from '@nestjs/swagger';
import { FieldErrorDto } from '../../admin/open-api';

class RejectedLineDto {
  @ApiProperty({ description: 'From 1; empty lines and the header row count', example: 17 })
  line: number;

  @ApiProperty({ type: [FieldErrorDto] })
  errors: FieldErrorDto[];
}

export class ImportResultDto {
  @ApiProperty({ example: 99_998 })
  created: number;

  @ApiProperty({ description: 'Lines of accounts that were known, changed or not', example: 1 })
  updated: number;

  @ApiProperty({ type: [RejectedLineDto], description: 'Every bad line, in order' })
  rejected: RejectedLineDto[];
}

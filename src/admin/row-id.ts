import { Injectable, type PipeTransform } from '@nestjs/common';
import { ApiProblem } from '../shared/problem';

const LARGEST_ROW_ID = 9223372036854775807n;

/** Ids are Postgres bigints as plain digits. Anything else cannot be the id of a row, and must not reach the database. */
export function isRowId(value: unknown): value is string {
  return typeof value === 'string' && /^[1-9]\d{0,18}$/.test(value) && BigInt(value) <= LARGEST_ROW_ID;
}

/** For `@Param('id', new RowIdPipe('connection'))`: what cannot be an id is as unknown as an id that is not there. */
@Injectable()
export class RowIdPipe implements PipeTransform<string, string> {
  constructor(private readonly what: string) {}

  transform(value: string): string {
    if (!isRowId(value)) throw ApiProblem.notFound(this.what, value);
    return value;
  }
}

import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ApiProblem } from '../shared/problem';
import { Check, Optional } from './check';
import { isRowId } from './row-id';

export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 500;

/** One page of a list, oldest first. */
export interface Page<T> {
  items: T[];
  /** Hand it back as `cursor` for the next page; null on the last one. */
  nextCursor: string | null;
}

/** Query parameters of every list; lists with filters extend it. */
export class ListQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT, example: 100 })
  @Optional()
  @Check((value) => (isLimit(value) ? undefined : `must be a whole number from 1 to ${MAX_LIMIT}`))
  // Query strings are text. Only plain digits become a number: Number() would also take "1e2", " 5" and "0x10".
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : value,
  )
  limit: number = DEFAULT_LIMIT;

  @ApiPropertyOptional({ description: '`nextCursor` of the page before', example: 'MTAw' })
  @Optional()
  @Check((value) => (decode(value) === undefined ? 'must be the nextCursor of an earlier page' : undefined))
  cursor?: string;
}

/**
 * @param cursor as it came in
 * @returns the id of the last row that the caller has seen, or undefined for the first page
 */
export function parseCursor(cursor?: string): string | undefined {
  if (cursor === undefined) return undefined;
  const id = decode(cursor);
  if (id === undefined) {
    throw ApiProblem.invalid([{ field: 'cursor', message: 'must be the nextCursor of an earlier page' }]);
  }
  return id;
}

/**
 * Cuts a page out of the rows.
 *
 * @param rows up to `limit + 1` of them, in order of their ids: the one too many tells that there is a next page
 */
export function page<T>(rows: readonly T[], limit: number, idOf: (row: T) => string): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items, nextCursor: more ? Buffer.from(idOf(last)).toString('base64url') : null };
}

function isLimit(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_LIMIT;
}

function decode(cursor: unknown): string | undefined {
  if (typeof cursor !== 'string' || cursor.length > 40) return undefined;
  const id = Buffer.from(cursor, 'base64url').toString('latin1');
  return isRowId(id) && Buffer.from(id).toString('base64url') === cursor ? id : undefined;
}

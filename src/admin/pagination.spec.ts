import { ApiProblem } from '../shared/problem';
import { page, parseCursor } from './pagination';

const rows = (...ids: string[]): { id: string }[] => ids.map((id) => ({ id }));
const idOf = ({ id }: { id: string }): string => id;

describe('pages', () => {
  it('names a next page only where the one row too many came', () => {
    expect(page(rows('1', '2'), 2, idOf)).toEqual({ items: rows('1', '2'), nextCursor: null });
    expect(page(rows(), 2, idOf)).toEqual({ items: [], nextCursor: null });
    const { items, nextCursor } = page(rows('1', '2', '3'), 2, idOf);
    expect(items).toEqual(rows('1', '2'));
    expect(parseCursor(nextCursor ?? undefined)).toBe('2');
  });

  it('carries ids beyond the safe integers', () => {
    const { nextCursor } = page(rows('9007199254740993', '9223372036854775807'), 1, idOf);
    expect(parseCursor(nextCursor ?? undefined)).toBe('9007199254740993');
  });

  it.each(['', '!', 'MA', 'LTE', 'YWJj', 'MTA=', 'MTA\n', 'OTIyMzM3MjAzNjg1NDc3NTgwOA', 'x'.repeat(10_000)])(
    'refuses the cursor %j',
    (cursor) => expect(() => parseCursor(cursor)).toThrow(ApiProblem),
  );
});

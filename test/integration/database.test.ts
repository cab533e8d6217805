import { createTestDatabase, type TestDatabase } from '../support/postgres';

describe('Database', () => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await createTestDatabase();
  });
  afterAll(() => test.drop());

  it('reads bigint, numeric and date as strings, timestamptz as Date and jsonb parsed', async () => {
    const [row] = await test.database.query(
      `select 9007199254740993::bigint as id, 0.10000000000000000001::numeric as value, date '2026-03-29' as day,
              timestamptz '2026-03-29 00:30:00Z' as at, '{"a":[1]}'::jsonb as detail, array[1.10, 2]::numeric[] as list`,
    );
    expect(row).toEqual({
      id: '9007199254740993',
      value: '0.10000000000000000001',
      day: '2026-03-29',
      at: new Date('2026-03-29T00:30:00Z'),
      detail: { a: [1] },
      list: ['1.10', '2'],
    });
  });
});

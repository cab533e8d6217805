import type { DataSource } from 'typeorm';
import { openDataSource } from '../../src/database/data-source';
import { entities } from '../../src/database/entities';
import { migrate, pendingMigrations, revertLast, toMigration } from '../../src/database/migrations';
import { createEmptyDatabase } from '../support/postgres';
import { describeSchema, type TableColumn } from '../support/schema';

describe('migrations', () => {
  let database: Awaited<ReturnType<typeof createEmptyDatabase>>;
  let dataSource: DataSource;

  beforeEach(async () => {
    database = await createEmptyDatabase();
    dataSource = await openDataSource({ url: database.url, applicationName: 'test' });
  });
  afterEach(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  it('leave nothing behind when taken back, and build the same schema again', async () => {
    const names = await migrate(dataSource);
    expect(names).toEqual(dataSource.migrations.map(({ name }) => name));
    const first = await describeSchema(dataSource);
    expect(first.tables.length).toBe(entities.length);

    for (const _ of names) await revertLast(dataSource);
    expect(await describeSchema(dataSource)).toEqual({
      tables: [],
      views: [],
      columns: [],
      constraints: [],
      indexes: [],
      triggers: [],
      functions: [],
      sequences: [],
      types: [],
    });

    expect(await migrate(dataSource)).toEqual(names);
    expect(await describeSchema(dataSource)).toEqual(first);
  });

  it('make exactly the tables and columns that the entities describe', async () => {
    await migrate(dataSource);
    const { columns } = await describeSchema(dataSource);
    const described = dataSource.entityMetadatas.flatMap(({ tableName, columns: properties }) =>
      properties.map((column): TableColumn => ({
        table: tableName,
        column: column.databaseName,
        type: dataSource.driver.normalizeType(column) + (column.isArray ? '[]' : ''),
        nullable: column.isNullable,
        primary: column.isPrimary,
      })),
    );
    const key = ({ table, column }: TableColumn): string => `${table}.${column}`;
    const sorted = (list: TableColumn[]): TableColumn[] => list.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
    expect(sorted(described)).toEqual(
      sorted(columns.map(({ table, column, type, nullable, primary }) => ({ table, column, type, nullable, primary }))),
    );
  });

  it('run once when several replicas start at the same time, and all of them find the schema', async () => {
    const replicas = await Promise.all(
      Array.from({ length: 4 }, () => openDataSource({ url: database.url, applicationName: 'replica' })),
    );
    try {
      const ran = await Promise.all(replicas.map((replica) => migrate(replica)));
      expect(ran.filter((names) => names.length > 0)).toHaveLength(1);
      expect(await dataSource.query('select name from migration')).toHaveLength(dataSource.migrations.length);
    } finally {
      await Promise.all(replicas.map((replica) => replica.destroy()));
    }
  });

  it('name what is still pending without touching an empty database', async () => {
    expect(await pendingMigrations(dataSource)).toEqual(dataSource.migrations.map(({ name }) => name));
    expect(await dataSource.query(`select from pg_class where relname = 'migration'`)).toEqual([]);
    await migrate(dataSource);
    expect(await pendingMigrations(dataSource)).toEqual([]);
  });

  it('leave nothing of a migration that fails half way', async () => {
    const Broken = toMigration(
      '1795219299999-broken.sql',
      '-- migrate:up\ncreate table half (id int); select 1/0;\n-- migrate:down\n',
    );
    const broken = await openDataSource({ url: database.url, applicationName: 'test', migrations: [Broken] });
    await expect(migrate(broken)).rejects.toThrow('division by zero');
    await broken.destroy();
    expect((await describeSchema(dataSource)).tables).toEqual([]);
  });
});

describe('a migration file', () => {
  it('is named after its time and words', () => {
    const Migration = toMigration(
      '1795219200000-add-two-words.sql',
      '-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;\n',
    );
    expect(new Migration().name).toBe('AddTwoWords1795219200000');
  });

  it.each([
    ['1795219200000-x.sql', 'select 1;'],
    ['1795219200000-x.sql', '-- migrate:up\nselect 1;\n'],
    ['1795219200000-x.sql', '-- migrate:down\nselect 1;\n-- migrate:up\nselect 2;\n'],
    ['initial.sql', '-- migrate:up\n-- migrate:down\n'],
  ])('is refused by name where it is malformed: %s %j', (file, sql) => {
    expect(() => toMigration(file, sql)).toThrow(`migrations/${file}:`);
  });
});

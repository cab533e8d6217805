import type { DataSource } from 'typeorm';

export interface TableColumn {
  table: string;
  column: string;
  type: string;
  nullable: boolean;
  primary: boolean;
}

export interface Schema {
  tables: string[];
  views: string[];
  columns: (TableColumn & { default: string | null; identity: string })[];
  constraints: string[];
  indexes: string[];
  triggers: string[];
  functions: string[];
  sequences: string[];
  types: string[];
}

/** Everything that stands in the public schema, in the database's own words; TypeORM's migration table left out. */
export async function describeSchema(dataSource: DataSource): Promise<Schema> {
  const list = async (sql: string): Promise<string[]> => {
    const rows: { text: string }[] = await dataSource.query(sql);
    return rows.map(({ text }) => text).sort();
  };
  const columns: Schema['columns'] = await dataSource.query(`
    select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type, not a.attnotnull as nullable,
           coalesce(a.attnum = any(i.indkey), false) as primary, pg_get_expr(d.adbin, d.adrelid) as default, a.attidentity as identity
    from pg_attribute a join pg_class c on c.oid = a.attrelid
      left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      left join pg_index i on i.indrelid = c.oid and i.indisprimary
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
      and c.relname <> 'migration'
    order by c.relname, a.attnum`);
  const ours = `relnamespace = 'public'::regnamespace and relname !~ '^migration(_|$)'`;
  return {
    tables: await list(
      `select relname || coalesce(array_to_string(reloptions, ','), '') as text from pg_class where relkind = 'r' and ${ours}`,
    ),
    views: await list(
      `select relname || ' ' || pg_get_viewdef(oid) as text from pg_class where relkind = 'v' and ${ours}`,
    ),
    columns,
    constraints: await list(`
      select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) as text from pg_constraint
      where connamespace = 'public'::regnamespace and conrelid <> to_regclass('migration')`),
    indexes: await list(`
      select pg_get_indexdef(indexrelid) as text from pg_index join pg_class on pg_class.oid = indrelid where ${ours}`),
    triggers: await list(`select pg_get_triggerdef(oid) as text from pg_trigger where not tgisinternal`),
    functions: await list(
      `select pg_get_functiondef(oid) as text from pg_proc where pronamespace = 'public'::regnamespace`,
    ),
    sequences: await list(`select relname as text from pg_class where relkind = 'S' and ${ours}`),
    types: await list(`
      select typname as text from pg_type where typnamespace = 'public'::regnamespace and typrelid = 0 and typelem = 0`),
  };
}

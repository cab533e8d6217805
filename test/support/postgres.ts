import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { databaseOf, openDataSource } from '../../src/database/data-source';
import type { Database } from '../../src/shared/database';
import { TEMPLATE, TEST_POSTGRES_URL, withDatabase } from './cluster';

export interface TestDatabase {
  url: string;
  database: Database;
  dataSource: DataSource;
  /** As freshly made: no row, every number from its start, an installation of its own. Only what a test did to the schema stays. */
  empty(): Promise<void>;
  drop(): Promise<void>;
}

/** Deletes, for TRUNCATE makes new files for every table and index; no trigger forbids it, and no foreign key. */
const EMPTY = `do $$
declare
  filled regclass;
begin
  perform set_config('session_replication_role', 'replica', true);
  for filled in select oid from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> 'migration' loop
    execute format('delete from %s', filled);
  end loop;
  perform setval(seqrelid::regclass, seqstart, false) from pg_sequence where seqrelid <> 'migration_id_seq'::regclass;
end $$`;

/**
 * A migrated database of its own, with the session settings of the service. It takes a quarter of a second where file systems
 * are slow to make files just after others were deleted, so tests share one within a file and empty it. Call drop() in afterAll.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await administer(`create database ${name} template ${TEMPLATE}`);
  const url = withDatabase(serverUrl(), name);
  const dataSource = await openDataSource({ url, applicationName: 'test' });
  const database = databaseOf(dataSource);
  const empty = async (): Promise<void> => {
    await database.query(EMPTY);
    // The template's installation is as old as the test run, and no two databases may share its id.
    await database.query(`insert into installation default values`);
  };
  await empty();
  return {
    url,
    database,
    dataSource,
    empty,
    drop: async () => {
      await dataSource.destroy();
      await administer(`drop database ${name} with (force)`);
    },
  };
}

/** One database for the tests of a describe, empty at the beginning of each; to be called before their other hooks are set. */
export function sharedDatabase(): () => TestDatabase {
  let shared: TestDatabase;
  beforeAll(async () => {
    shared = await createTestDatabase();
  });
  beforeEach(() => shared.empty());
  afterAll(() => shared.drop());
  return () => shared;
}

/** A database without any table, for tests of the migrations themselves. */
export async function createEmptyDatabase(options = ''): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `empty_${randomBytes(8).toString('hex')}`;
  await administer(`create database ${name} ${options}`);
  return { url: withDatabase(serverUrl(), name), drop: () => administer(`drop database ${name} with (force)`) };
}

/** The gateway's Postgres of this run, for tests that need sessions beside the pool's. */
export function serverUrl(): string {
  const url = process.env[TEST_POSTGRES_URL];
  if (url === undefined) throw new Error('globalSetup has not started Postgres');
  return url;
}

async function administer(sql: string): Promise<void> {
  const client = new Client({ connectionString: serverUrl() });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

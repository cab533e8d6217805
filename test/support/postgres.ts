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
  drop(): Promise<void>;
}

/** A migrated database of its own (about 50 ms), with the session settings of the service. Call drop() in afterAll. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await administer(`create database ${name} template ${TEMPLATE}`);
  const url = withDatabase(serverUrl(), name);
  const dataSource = await openDataSource({ url, applicationName: 'test' });
  const database = databaseOf(dataSource);
  // The template's installation is as old as the test run, and no two databases may share its id.
  await database.query(`delete from installation`);
  await database.query(`insert into installation default values`);
  return {
    url,
    database,
    dataSource,
    drop: async () => {
      await dataSource.destroy();
      await administer(`drop database ${name} with (force)`);
    },
  };
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

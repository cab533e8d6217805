import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver';
import { ConfigModule } from '../../src/config/config.module';
import { Environment, loadEnvironment } from '../../src/config/environment';
import { openDataSource } from '../../src/database/data-source';
import { DatabaseModule } from '../../src/database/database.module';
import { APPLICATION_NAME, DatabaseServer, openDatabaseServer } from '../../src/database/database-server';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/database/embedded-postgres';
import { findPostmaster, isAlive } from '../../src/database/embedded/postmaster';
import { Database } from '../../src/shared/database';
import { StartProblem } from '../../src/shared/start-problem';
import { eventually } from '../support/eventually';
import { createEmptyDatabase } from '../support/postgres';

@Module({ imports: [ConfigModule, DatabaseModule] })
class TestedModule {}

const AMLYZE = { AMLYZE_BASE_URL: 'https://amlyze.example', AMLYZE_TOKEN: 'token-of-the-test' };
const KEYS = {
  ADMIN_API_KEY: 'k'.repeat(32),
  ENCRYPTION_KEYS: `first:${Buffer.from('0123456789abcdefghijklmnopqrstuv').toString('base64')}`,
};

const open = async (environment: Environment): Promise<TestingModule> => {
  const builder = Test.createTestingModule({ imports: [TestedModule] });
  const module = await builder.overrideProvider(Environment).useValue(environment).compile();
  return module.init();
};

function poolOf(module: TestingModule): Pool {
  const { driver } = module.get(DataSource);
  const pool: unknown = driver instanceof PostgresDriver ? driver.master : undefined;
  if (!(pool instanceof Pool)) throw new Error('the data source holds no pool');
  return pool;
}

describe('DatabaseModule', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'module-'));
    chmodSync(folder, 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('migrates the database of DATABASE_URL and leaves its server running', async () => {
    const empty = await createEmptyDatabase();
    const module = await open(loadEnvironment({ ...AMLYZE, ...KEYS, DATABASE_URL: empty.url }));
    const [installation] = await module.get(Database).query<{ id: string }>('select id from installation');
    expect(installation?.id).toMatch(/^[0-9a-f]{12}$/);
    const dataSource = module.get(DataSource);
    await module.close();
    expect(dataSource.isInitialized).toBe(false);

    const again = await open(loadEnvironment({ ...AMLYZE, ...KEYS, DATABASE_URL: empty.url }));
    expect(await again.get(Database).query('select id from installation')).toEqual([installation]);
    await again.close();
    await empty.drop();
  });

  it('runs a Postgres of its own in DATA_DIR without DATABASE_URL, and stops it last', async () => {
    const dataDir = join(folder, 'data');
    const module = await open(loadEnvironment({ ...AMLYZE, DATA_DIR: dataDir }));
    const pid = findPostmaster(join(dataDir, 'postgres'))?.pid ?? 0;
    expect(isAlive(pid)).toBe(true);
    expect(await module.get(Database).query('select count(*) as n from connection')).toEqual([{ n: '0' }]);
    await module.get(Database).query('delete from migration');
    await module.get(Database).query('alter database gateway set default_transaction_read_only = on');
    await module.close();
    expect(isAlive(pid)).toBe(false);
    const again: unknown = await openDatabaseServer(loadEnvironment({ ...AMLYZE, DATA_DIR: dataDir })).catch(
      (error: unknown) => error,
    );
    expect((again as StartProblem).message).toMatch(
      /^DATA_DIR: cannot execute .+; its Postgres is for the gateway alone/,
    );
  });

  it('warns once of all sessions that its server ends, but not where it is the one who ends the server', async () => {
    const warned: unknown[] = [];
    const module = await open(loadEnvironment({ ...AMLYZE, DATA_DIR: join(folder, 'warned') }));
    Logger.overrideLogger({ log: () => undefined, error: () => undefined, warn: (line: unknown) => warned.push(line) });
    const database = module.get(Database);
    const idle = async (): Promise<void> => void (await Promise.all([1, 2, 3].map(() => database.query('select 1'))));
    await idle();
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid()`,
      [APPLICATION_NAME],
    );
    await eventually('the lost sessions are gone', async () => poolOf(module).totalCount <= 1);
    expect(warned).toEqual([expect.stringMatching(/^idle sessions were lost; .+: terminating connection/)]);
    await idle();
    await module.get(DatabaseServer).stop();
    await eventually('the sessions are gone', async () => poolOf(module).totalCount === 0);
    expect(warned).toHaveLength(1);
    await module.close();
    Logger.overrideLogger(false);
  }, 30_000);

  it('does not start without its database, says so in one line and does not tell the password', async () => {
    const environment = loadEnvironment({ ...AMLYZE, ...KEYS, DATABASE_URL: 'postgres://u:pAsSwOrD@127.0.0.1:1/d' });
    const problem: unknown = await openDatabaseServer(environment).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(StartProblem);
    expect((problem as StartProblem).lines).toEqual([
      expect.stringMatching(/^DATABASE_URL: the database cannot be reached \(unavailable: .*ECONNREFUSED/),
    ]);
    expect((problem as StartProblem).message).not.toContain('pAsSwOrD');
  });

  it.each([
    ['create table account (id integer)', /relation "account" already exists; the gateway needs a database/],
    ['alter database %I set default_transaction_read_only = on', /read-only transaction; the gateway has to reach/],
    [
      `create role "bystander_%1$s" login password 'bystander'`,
      /permission denied for schema public; the role of the gateway has to own its schema/,
    ],
  ])('says in one line why the migrations cannot run after %j', async (sql, words) => {
    const database = await createEmptyDatabase();
    const name = new URL(database.url).pathname.slice(1);
    const dataSource = await openDataSource({ url: database.url, applicationName: 'test' });
    await dataSource.query(sql.replace('%I', name).replace('%1$s', name));
    const url = new URL(database.url);
    if (sql.includes('bystander')) Object.assign(url, { username: `bystander_${name}`, password: 'bystander' });
    const environment = loadEnvironment({ ...AMLYZE, ...KEYS, DATABASE_URL: url.toString() });
    const problem: unknown = await openDatabaseServer(environment).catch((error: unknown) => error);
    if (sql.includes('bystander')) await dataSource.query(`drop role "bystander_${name}"`);
    await dataSource.destroy();
    await database.drop();
    expect(problem).toBeInstanceOf(StartProblem);
    expect((problem as StartProblem).lines).toEqual([expect.stringMatching(words)]);
    expect((problem as StartProblem).message).toMatch(/^DATABASE_URL: /);
  });

  it('takes no database that lacks characters', async () => {
    const database = await createEmptyDatabase("encoding 'LATIN1' locale 'C' template template0");
    const environment = loadEnvironment({ ...AMLYZE, ...KEYS, DATABASE_URL: database.url });
    const problem: unknown = await openDatabaseServer(environment).catch((error: unknown) => error);
    await database.drop();
    expect((problem as StartProblem).lines).toEqual([
      `DATABASE_URL: the database has the encoding LATIN1; create one with encoding 'UTF8' template template0`,
    ]);
  });

  it('warns where a newer version has migrated the database', async () => {
    const database = await createEmptyDatabase();
    const environment = loadEnvironment({ ...AMLYZE, ...KEYS, DATABASE_URL: database.url });
    const warned: unknown[] = [];
    Logger.overrideLogger({ log: () => undefined, error: () => undefined, warn: (line: unknown) => warned.push(line) });
    await openDatabaseServer(environment);
    expect(warned).toEqual([]);
    const dataSource = await openDataSource({ url: database.url, applicationName: 'test' });
    await dataSource.query(`insert into migration (timestamp, name) values (1999999999999, 'Newer1999999999999')`);
    await dataSource.destroy();
    await openDatabaseServer(environment);
    Logger.overrideLogger(false);
    await database.drop();
    expect(warned).toEqual([expect.objectContaining({ migrations: ['Newer1999999999999'] })]);
  });
});

describe('TLS to Postgres', () => {
  const FIXTURES = join(__dirname, '..', 'fixtures', 'tls');
  const AUTHORITY = join(FIXTURES, 'test-authority.pem');
  let folder: string;
  let server: EmbeddedPostgres;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tls-'));
    chmodSync(folder, 0o755);
    server = await startEmbeddedPostgres({ dataDir: join(folder, 'data') });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Gives the server a certificate; new sessions see it at once. */
  const present = async (certificate: string, key: string): Promise<void> => {
    const data = join(folder, 'data', 'postgres');
    for (const [from, to] of [
      [certificate, 'server.crt'],
      [key, 'server.key'],
    ] as const) {
      copyFileSync(join(FIXTURES, from), join(data, to));
      chmodSync(join(data, to), 0o600);
      chownSync(join(data, to), statSync(data).uid, statSync(data).gid);
    }
    const dataSource = await openDataSource({ url: server.url, applicationName: 'test' });
    await dataSource.query('alter system set ssl = on');
    await dataSource.query('select pg_reload_conf()');
    const loaded = `select pg_conf_load_time() > now() - interval '1 minute' and current_setting('ssl') = 'on' as ok`;
    await eventually('the server offers TLS', async () => {
      const [{ ok }] = await dataSource.query<[{ ok: boolean }]>(loaded);
      return ok;
    });
    await dataSource.destroy();
  };
  const connect = async (query: string): Promise<unknown> => {
    const { databaseUrl = '' } = loadEnvironment({ ...AMLYZE, ...KEYS, DATABASE_URL: `${server.url}?${query}` });
    const dataSource = await openDataSource({ url: databaseUrl, applicationName: 'test' });
    const [row] = await dataSource.query<object[]>('select ssl, version from pg_stat_ssl where pid = pg_backend_pid()');
    await dataSource.destroy();
    return row;
  };

  it('encrypts and verifies against the authority of sslrootcert', async () => {
    await present('test-server.pem', 'TEST-server.key.pem');
    expect(await connect(`sslmode=verify-full&sslrootcert=${AUTHORITY}`)).toEqual({ ssl: true, version: 'TLSv1.3' });
    expect(await connect(`sslrootcert=${AUTHORITY}`)).toEqual({ ssl: true, version: 'TLSv1.3' });
    expect(await connect('sslmode=disable')).toEqual({ ssl: false, version: null });
  });

  it('refuses an unknown authority, also where only sslmode=require is asked for', async () => {
    await present('test-server.pem', 'TEST-server.key.pem');
    await expect(connect('sslmode=require')).rejects.toThrow(/unable to (verify|get)/);
  });

  it('refuses a certificate of another host', async () => {
    await present('test-other-host.pem', 'TEST-other-host.key.pem');
    await expect(connect(`sslmode=verify-full&sslrootcert=${AUTHORITY}`)).rejects.toThrow(/does not match certificate/);
  });
});

import { types, Pool } from 'pg';
import { DataSource, type DataSourceOptions, type Logger as TypeOrmLogger } from 'typeorm';
import { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver';
import { Database } from '../shared/database';
import { Notices } from '../shared/notices';
import { entities } from './entities';
import { loadMigrations, type MigrationClass } from './migrations';
import { PLANNER_OPTIONS } from './planner-options';
import { SnakeNaming } from './snake-naming';

export interface SessionLimits {
  /** Sessions of the pool. */
  poolSize: number;
  /** The server ends a statement after this time. */
  statementTimeoutMs: number;
  lockTimeoutMs: number;
  idleInTransactionTimeoutMs: number;
  /** The server looks this often whether the client of a running statement still lives. */
  clientCheckIntervalMs: number;
  /** The client gives up on a server that hangs; longer than statementTimeoutMs, which gives the clearer error. */
  queryTimeoutMs: number;
  connectTimeoutMs: number;
}

/** Every runtime session has an end to its waits: query_timeout alone leaves statements of dead clients with their locks. */
export const RUNTIME_LIMITS: SessionLimits = {
  poolSize: 16,
  statementTimeoutMs: 15_000,
  lockTimeoutMs: 5_000,
  idleInTransactionTimeoutMs: 10_000,
  clientCheckIntervalMs: 1_000,
  queryTimeoutMs: 18_000,
  connectTimeoutMs: 5_000,
};

/** A migration may take minutes, and a replica waits in a statement for the one that migrates. */
export const MIGRATION_LIMITS: SessionLimits = {
  ...RUNTIME_LIMITS,
  poolSize: 1,
  statementTimeoutMs: 1_800_000,
  lockTimeoutMs: 1_800_000,
  queryTimeoutMs: 1_803_000,
};

const DATE = 1082;
const NUMERIC_ARRAY = 1231;
const TEXT_ARRAY = 1009;

type ParseText = (value: string) => unknown;

/** node-postgres reads a date as local midnight and numeric[] as floats; both stay text here. */
const textTypes = {
  getTypeParser: (oid: number, format?: 'text' | 'binary'): ParseText => {
    if (oid === DATE) return (value) => value;
    return types.getTypeParser(oid === NUMERIC_ARRAY ? TEXT_ARRAY : oid, format) as ParseText;
  },
};

const silent: TypeOrmLogger = {
  logQuery: () => undefined,
  logQueryError: () => undefined,
  logQuerySlow: () => undefined,
  logSchemaBuild: () => undefined,
  logMigration: () => undefined,
  log: () => undefined,
};

export interface DataSourceSettings {
  url: string;
  applicationName: string;
  limits?: SessionLimits;
  onPoolError?: (error: Error) => void;
  /** Those of migrations/ unless given. */
  migrations?: MigrationClass[];
}

/** TypeORM's data source over one pg.Pool; the schema is only ever changed by the SQL files in migrations/. */
export function dataSourceOptions(settings: DataSourceSettings): DataSourceOptions {
  const limits = settings.limits ?? RUNTIME_LIMITS;
  return {
    type: 'postgres',
    url: settings.url,
    entities,
    namingStrategy: new SnakeNaming(),
    migrations: settings.migrations ?? loadMigrations(),
    migrationsTableName: 'migration',
    synchronize: false,
    installExtensions: false,
    logger: silent,
    applicationName: settings.applicationName,
    poolSize: limits.poolSize,
    connectTimeoutMS: limits.connectTimeoutMs,
    // A pool without this listener ends the process when Postgres restarts.
    poolErrorHandler: (error: unknown) =>
      settings.onPoolError?.(error instanceof Error ? error : new Error(String(error))),
    extra: {
      options: [
        ...PLANNER_OPTIONS,
        `-c statement_timeout=${String(limits.statementTimeoutMs)}`,
        `-c lock_timeout=${String(limits.lockTimeoutMs)}`,
        `-c idle_in_transaction_session_timeout=${String(limits.idleInTransactionTimeoutMs)}`,
        `-c client_connection_check_interval=${String(limits.clientCheckIntervalMs)}`,
      ].join(' '),
      query_timeout: limits.queryTimeoutMs,
      keepAlive: true,
      types: textTypes,
    },
  };
}

export async function openDataSource(settings: DataSourceSettings): Promise<DataSource> {
  return new DataSource(dataSourceOptions(settings)).initialize();
}

/** The gateway's SQL goes over the very pool that TypeORM holds, so that there is one limit on sessions. */
export function databaseOf(dataSource: DataSource): Database {
  return new Database(poolOf(dataSource));
}

/** What replicas tell each other, heard on one session beside that pool. */
export function noticesOf(dataSource: DataSource): Notices {
  return new Notices(poolOf(dataSource));
}

function poolOf({ driver }: DataSource): Pool {
  const pool: unknown = driver instanceof PostgresDriver ? driver.master : undefined;
  if (!(pool instanceof Pool)) throw new Error('the data source holds no pg.Pool; it is not initialised');
  return pool;
}

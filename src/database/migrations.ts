import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MigrationExecutor, type DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';

/** Beside src/ and dist/ alike, and copied next to dist/ in the image. */
const FOLDER = join(__dirname, '..', '..', 'migrations');

/** Any constant will do, as long as every replica of every version uses the same one. */
const MIGRATION_LOCK = 7_204_318_001;

export type MigrationClass = new () => MigrationInterface;

/** `1795219200000-initial.sql` becomes the class `Initial1795219200000`, which is what TypeORM's migration table stores. */
export function loadMigrations(folder: string = FOLDER): MigrationClass[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => toMigration(file, readFileSync(join(folder, file), 'utf8')));
}

export function toMigration(file: string, sql: string): MigrationClass {
  const name = /^(\d{13})-([a-z0-9-]+)\.sql$/.exec(file);
  if (!name) throw new Error(`migrations/${file}: the name must be <13 digits>-<lower-case-words>.sql`);
  const sections = /^-- migrate:up\n([\s\S]*?)^-- migrate:down\n([\s\S]*)$/m.exec(sql);
  if (!sections)
    throw new Error(`migrations/${file}: needs one "-- migrate:up" and then one "-- migrate:down" section`);
  const [, timestamp = '', words = ''] = name;
  const [, up = '', down = ''] = sections;
  const className = words.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase()) + timestamp;
  return class implements MigrationInterface {
    readonly name = className;
    async up(runner: QueryRunner): Promise<void> {
      await runner.query(up);
    }
    async down(runner: QueryRunner): Promise<void> {
      await runner.query(down);
    }
  };
}

/**
 * Runs what is pending on one session that holds an advisory lock: of several replicas that start at once one migrates,
 * the others wait and find nothing to do. Returns the names of the migrations that ran.
 */
export async function migrate(dataSource: DataSource): Promise<string[]> {
  return underLock(dataSource, async (executor) => (await executor.executePendingMigrations()).map(({ name }) => name));
}

/** Names of what is not applied yet; reads only, for readiness. */
export async function pendingMigrations(dataSource: DataSource): Promise<string[]> {
  return (await new MigrationExecutor(dataSource).getPendingMigrations()).map(({ name }) => name);
}

/** Names of what is applied and not among ours: a newer version was here. */
export async function unknownMigrations(dataSource: DataSource): Promise<string[]> {
  const known = new Set(dataSource.migrations.map(({ name }) => name));
  const executed = await new MigrationExecutor(dataSource).getExecutedMigrations();
  return executed.map(({ name }) => name).filter((name) => !known.has(name));
}

/** Takes the latest migration back by its down section. */
export async function revertLast(dataSource: DataSource): Promise<void> {
  await underLock(dataSource, (executor) => executor.undoLastMigration());
}

async function underLock<T>(dataSource: DataSource, work: (executor: MigrationExecutor) => Promise<T>): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    try {
      const executor = new MigrationExecutor(dataSource, runner);
      executor.transaction = 'each';
      return await work(executor);
    } finally {
      await runner.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    }
  } finally {
    await runner.release();
  }
}

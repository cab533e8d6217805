import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { DatabaseVariable, Environment } from '../config/environment';
import { StartProblem } from '../shared/start-problem';
import { MIGRATION_LIMITS, openDataSource } from './data-source';
import { startEmbeddedPostgres } from './embedded-postgres';
import { explainDatabaseFailure, explainUnreachable } from './database-problem';
import { migrate, unknownMigrations } from './migrations';

export const APPLICATION_NAME = 'open-banking-gateway';

/** Postgres 15, as server_version_num. */
const OLDEST_VERSION = 150_000;

/** A database that answers and is migrated, with the server under it where the gateway runs one itself. */
export class DatabaseServer {
  private ending = false;

  constructor(
    readonly url: string,
    private readonly end: () => Promise<void>,
  ) {}

  get stopping(): boolean {
    return this.ending;
  }

  /** Ends the embedded server; does nothing for one that is not ours. */
  async stop(): Promise<void> {
    this.ending = true;
    await this.end();
  }
}

/** Reaches the database (starts it where DATABASE_URL is absent) and runs the pending migrations. */
export async function openDatabaseServer(environment: Environment): Promise<DatabaseServer> {
  const { databaseUrl, dataDir } = environment;
  if (databaseUrl !== undefined) {
    await migrateDatabase(databaseUrl, 'DATABASE_URL');
    return new DatabaseServer(databaseUrl, () => Promise.resolve());
  }
  const embedded = await startEmbeddedPostgres({ dataDir });
  try {
    await migrateDatabase(embedded.url, 'DATA_DIR');
  } catch (error) {
    await embedded.stop();
    throw error;
  }
  return new DatabaseServer(embedded.url, () => embedded.stop());
}

async function migrateDatabase(url: string, variable: DatabaseVariable): Promise<void> {
  const dataSource = await openDataSource({
    url,
    applicationName: `${APPLICATION_NAME}-migrations`,
    limits: MIGRATION_LIMITS,
  }).catch((cause: unknown) => {
    throw explainUnreachable(cause, variable);
  });
  try {
    await assertServer(dataSource);
    const names = await migrate(dataSource);
    if (names.length > 0) new Logger('Database').log(`migrated: ${names.join(', ')}`);
    await warnOfNewer(dataSource);
  } catch (error) {
    throw explainDatabaseFailure(error, variable);
  } finally {
    await dataSource.destroy();
  }
}

async function assertServer(dataSource: DataSource): Promise<void> {
  const [row]: { version: number; encoding: string }[] = await dataSource.query(
    `select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding`,
  );
  if ((row?.version ?? 0) < OLDEST_VERSION) {
    throw new StartProblem([`DATABASE_URL: Postgres ${String(OLDEST_VERSION / 10_000)} or newer is needed`]);
  }
  // Any other lacks characters that banks and customers have in their names, or does not check them.
  if (row?.encoding !== 'UTF8') {
    throw new StartProblem([
      `DATABASE_URL: the database has the encoding ${String(row?.encoding)}; create one with encoding 'UTF8' template template0`,
    ]);
  }
}

/** During an upgrade an old process may start once more beside new ones; what it cannot do then has to be understood from its log. */
async function warnOfNewer(dataSource: DataSource): Promise<void> {
  const migrations = await unknownMigrations(dataSource);
  if (migrations.length === 0) return;
  new Logger('Database').warn({
    msg: 'the database was migrated by a newer version of the gateway: finish the upgrade, or restore the backup',
    migrations,
  });
}

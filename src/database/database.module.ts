import { Global, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Logger } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Environment } from '../config/environment';
import { Database } from '../shared/database';
import { Notices } from '../shared/notices';
import { databaseOf, dataSourceOptions, noticesOf } from './data-source';
import { APPLICATION_NAME, DatabaseServer, openDatabaseServer } from './database-server';

@Module({
  providers: [{ provide: DatabaseServer, useFactory: openDatabaseServer, inject: [Environment] }],
  exports: [DatabaseServer],
})
class DatabaseServerModule {}

/**
 * Closes the pool and then the server in the last of Nest's shutdown hooks. Whoever writes while the gateway ends has to
 * be done in onModuleDestroy or beforeApplicationShutdown.
 */
@Injectable()
class DatabaseShutdown implements OnApplicationShutdown {
  constructor(
    private readonly dataSource: DataSource,
    private readonly notices: Notices,
    private readonly server: DatabaseServer,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await this.notices.close();
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
    await this.server.stop();
  }
}

/** The idle sessions end with their server, one after the other: the first one tells it for all, at most once in this time. */
const TELL_LOST_EVERY_MS = 60_000;

function tellLostSessions(server: DatabaseServer): (error: Error) => void {
  const logger = new Logger('Database');
  let toldMs = -Infinity;
  return (error) => {
    const nowMs = performance.now();
    // Sessions that the server ends because we end the server are no news.
    if (server.stopping || nowMs - toldMs < TELL_LOST_EVERY_MS) return;
    toldMs = nowMs;
    logger.warn(`idle sessions were lost; new ones are opened as they are needed: ${error.message}`);
  };
}

/** TypeORM's DataSource with every entity, `Database` for visible SQL over the same pool, and `Notices` beside it. */
@Global()
@Module({
  imports: [
    DatabaseServerModule,
    TypeOrmModule.forRootAsync({
      imports: [DatabaseServerModule],
      inject: [DatabaseServer],
      useFactory: (server: DatabaseServer) => ({
        ...dataSourceOptions({
          url: server.url,
          applicationName: APPLICATION_NAME,
          onPoolError: tellLostSessions(server),
        }),
        // The database has just answered; an orchestrator restarts what cannot start.
        retryAttempts: 0,
      }),
    }),
  ],
  providers: [
    { provide: Database, useFactory: databaseOf, inject: [DataSource] },
    { provide: Notices, useFactory: noticesOf, inject: [DataSource] },
    DatabaseShutdown,
  ],
  exports: [Database, Notices, TypeOrmModule],
})
export class DatabaseModule {}

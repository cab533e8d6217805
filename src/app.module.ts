import { Module } from '@nestjs/common';
import { AccountsModule } from './accounts/accounts.module';
import { AdminModule } from './admin/admin.module';
import { AmlyzeModule } from './amlyze/amlyze.module';
import { RatesModule } from './balances/rates.module';
import { ConfigModule } from './config/config.module';
import { ConnectionsModule } from './connections/connections.module';
import { ConsentsModule } from './consents/consents.module';
import { DatabaseModule } from './database/database.module';
import { DeliveryModule } from './delivery/delivery.module';
import { HealthModule } from './health/health.module';
import { LogModule } from './log.module';
import { OperationsModule } from './operations/operations.module';
import { ProvidersModule } from './providers/providers.module';
import { RecordsModule } from './records/records.module';
import { GatewayScheduleModule } from './schedule/schedule.module';
import { HttpModule } from './shared/http.module';
import { KernelModule } from './shared/kernel.module';
import { SecretsModule } from './shared/secrets.module';
import { SyncModule } from './sync/sync.module';

/** The map. Read the pipeline from top to bottom: it is the way of a balance. */
@Module({
  imports: [
    // the ground
    ConfigModule,
    LogModule,
    DatabaseModule,
    HttpModule,
    SecretsModule,
    KernelModule,
    AdminModule,
    // the registry: how we reach a bank, may we ask, whom do we ask about
    ConnectionsModule,
    ConsentsModule,
    AccountsModule,
    // the way of a balance: sync -> providers -> balances -> amlyze -> outbox -> delivery
    SyncModule,
    ProvidersModule,
    RatesModule,
    AmlyzeModule,
    DeliveryModule,
    // card payments take the same way from the outbox on
    OperationsModule,
    // what an operator sees, and what starts by itself
    RecordsModule,
    HealthModule,
    GatewayScheduleModule,
  ],
})
export class AppModule {}

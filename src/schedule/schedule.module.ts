import { Module } from '@nestjs/common';
import { ScheduleModule as NestScheduleModule } from '@nestjs/schedule';
import { DeliveryModule } from '../delivery/delivery.module';
import { OperationsModule } from '../operations/operations.module';
import { SyncModule } from '../sync/sync.module';
import { Heartbeat } from './heartbeat';
import { Upkeep } from './upkeep';

/** Everything that starts by itself. */
@Module({
  imports: [NestScheduleModule.forRoot(), SyncModule, DeliveryModule, OperationsModule],
  providers: [Heartbeat, Upkeep],
})
export class GatewayScheduleModule {}

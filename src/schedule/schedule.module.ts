import { Module } from '@nestjs/common';
import { ScheduleModule as NestScheduleModule } from '@nestjs/schedule';
import { DeliveryModule } from '../delivery/delivery.module';
import { SyncModule } from '../sync/sync.module';
import { Heartbeat } from './heartbeat';

/** Everything that starts by itself. */
@Module({
  imports: [NestScheduleModule.forRoot(), SyncModule, DeliveryModule],
  providers: [Heartbeat],
})
export class GatewayScheduleModule {}

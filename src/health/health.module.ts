import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { AmlyzeModule } from '../amlyze/amlyze.module';
import { DeliveryModule } from '../delivery/delivery.module';
import { Backlog } from './backlog';
import { HealthController } from './health.controller';
import { MetricsPage } from './metrics-page';
import { Readiness } from './readiness';
import { Status } from './status';
import { StatusController } from './status.controller';

/** Live, ready, metrics and the status page. */
@Module({
  imports: [TerminusModule.forRoot({ logger: false }), AmlyzeModule, DeliveryModule],
  controllers: [HealthController, StatusController],
  providers: [Backlog, Readiness, MetricsPage, Status],
})
export class HealthModule {}

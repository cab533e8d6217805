import { Module } from '@nestjs/common';
import { AmlyzeModule } from '../amlyze/amlyze.module';
import { BalanceLane } from './balance-lane';
import { DeliveryService } from './delivery.service';
import { DeliveryWorker } from './delivery.worker';
import { Settling } from './settling';

/** Sends what the outbox holds, settles each record, keeps the result log. */
@Module({
  imports: [AmlyzeModule],
  providers: [DeliveryService, Settling, DeliveryWorker, BalanceLane],
  exports: [DeliveryWorker, BalanceLane],
})
export class DeliveryModule {}

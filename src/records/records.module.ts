import { Module } from '@nestjs/common';
import { DeliveryModule } from '../delivery/delivery.module';
import { CardVaultModule } from '../operations/card-vault.module';
import { SyncModule } from '../sync/sync.module';
import { RecordsController } from './records.controller';
import { RecordsService } from './records.service';

/** The operator's view of the outbox: lists, explanations, requeue and adopt. */
@Module({
  imports: [DeliveryModule, SyncModule, CardVaultModule],
  controllers: [RecordsController],
  providers: [RecordsService],
})
export class RecordsModule {}

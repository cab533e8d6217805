import { Module } from '@nestjs/common';
import { AmlyzeModule } from '../amlyze/amlyze.module';
import { DeliveryModule } from '../delivery/delivery.module';
import { CardVaultModule } from '../operations/card-vault.module';
import { RecordsController } from './records.controller';
import { RecordsService } from './records.service';

/** The operator's view of the outbox: lists, explanations, requeue and adopt. */
@Module({
  imports: [AmlyzeModule, DeliveryModule, CardVaultModule],
  controllers: [RecordsController],
  providers: [RecordsService],
})
export class RecordsModule {}

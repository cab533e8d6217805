import { Module } from '@nestjs/common';
import { AmlyzeModule } from '../amlyze/amlyze.module';
import { DeliveryModule } from '../delivery/delivery.module';
import { CardRetention } from './card-retention';
import { CardVaultModule } from './card-vault.module';
import { ImportDigests } from './import-digest';
import { OperationImport } from './operation-import';
import { OperationBatchLane, OperationSingleLane } from './operation-lanes';
import { OperationsDelivery } from './operations-delivery';
import { Preflight } from './preflight';
import { OperationIntake } from './operation-intake';
import { OperationsController } from './operations.controller';

/** Card-payment operations: intake, rules, identity. From the outbox on they go the way of the balances. */
@Module({
  imports: [AmlyzeModule, CardVaultModule, DeliveryModule],
  controllers: [OperationsController],
  providers: [
    OperationIntake,
    OperationImport,
    ImportDigests,
    CardRetention,
    OperationSingleLane,
    OperationBatchLane,
    OperationsDelivery,
    Preflight,
  ],
  exports: [CardRetention, OperationImport],
})
export class OperationsModule {}

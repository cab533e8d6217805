import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Environment } from '../config/environment';
import { DeliveryWorker } from '../delivery/delivery.worker';
import { OperationBatchLane, OperationSingleLane } from './operation-lanes';

/**
 * Opens the operations' channels where the institution has turned them on. Both are open whatever OPERATIONS_DELIVERY says:
 * a record keeps the channel that it was frozen for.
 */
@Injectable()
export class OperationsDelivery implements OnApplicationBootstrap {
  private readonly logger = new Logger(OperationsDelivery.name);

  constructor(
    private readonly environment: Environment,
    private readonly delivery: DeliveryWorker,
    private readonly single: OperationSingleLane,
    private readonly batch: OperationBatchLane,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { operationsImport, operationsDelivery, cardData, cardDataRetention } = this.environment;
    if (operationsImport === undefined) return;
    this.logger.warn({
      msg: 'operations are imported without monitoring: AMLYZE does not assess their risk',
      operationsImport,
      operationsDelivery,
      cardData,
      cardDataRetentionHours: cardDataRetention / 3_600_000,
    });
    await this.delivery.start([this.single, this.batch]);
  }
}

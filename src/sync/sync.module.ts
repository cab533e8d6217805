import { Module } from '@nestjs/common';
import { AmlyzeModule } from '../amlyze/amlyze.module';
import { RatesModule } from '../balances/rates.module';
import { ConnectionsModule } from '../connections/connections.module';
import { DeliveryModule } from '../delivery/delivery.module';
import { BankHealth } from './bank-health';
import { PreviewController } from './preview.controller';
import { PreviewService } from './preview.service';
import { ReadQuotas } from './read-quotas';
import { ReadingWriter } from './reading-writer';
import { ResyncService } from './resync.service';
import { SubjectReader } from './subject-reader';
import { SyncController } from './sync.controller';
import { SyncWorker } from './sync.worker';
import { Wordings } from './wordings';

/** The conductor: which accounts are due, one read each, reading and record in one transaction. */
@Module({
  imports: [AmlyzeModule, ConnectionsModule, RatesModule, DeliveryModule],
  controllers: [SyncController, PreviewController],
  providers: [
    SyncWorker,
    ReadingWriter,
    BankHealth,
    ReadQuotas,
    SubjectReader,
    ResyncService,
    PreviewService,
    Wordings,
  ],
  exports: [SyncWorker],
})
export class SyncModule {}

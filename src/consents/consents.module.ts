import { Module } from '@nestjs/common';
import { ProvidersModule } from '../providers/providers.module';
import { ConsentsController } from './consents.controller';
import { ConsentsService } from './consents.service';

/** May we ask? AIS consents with their tokens, ends and budgets of reads. */
@Module({
  imports: [ProvidersModule],
  controllers: [ConsentsController],
  providers: [ConsentsService],
})
export class ConsentsModule {}

import { Module } from '@nestjs/common';
import { RateBook } from './rate-book';
import { RatesController } from './rates.controller';

/** Exchange rates that operators load, for `equivalentValue`. */
@Module({
  controllers: [RatesController],
  providers: [RateBook],
  exports: [RateBook],
})
export class RatesModule {}

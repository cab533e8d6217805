import { Global, Module } from '@nestjs/common';
import { DatabaseClock } from './database-clock';
import { Metrics } from './metrics';
import { Replica } from './replica';

/** What every stage uses: this process's name, the database's time, the metrics. */
@Global()
@Module({
  providers: [Metrics, Replica, DatabaseClock],
  exports: [Metrics, Replica, DatabaseClock],
})
export class KernelModule {}

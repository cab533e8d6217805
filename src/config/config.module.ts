import { Global, Module } from '@nestjs/common';
import { Environment, loadEnvironment } from './environment';

/** Provides the one validated Environment; tests override it with a value of their own. */
@Global()
@Module({
  providers: [{ provide: Environment, useFactory: () => loadEnvironment(process.env) }],
  exports: [Environment],
})
export class ConfigModule {}

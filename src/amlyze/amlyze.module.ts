import { Module } from '@nestjs/common';
import { Environment } from '../config/environment';
import { HttpClient } from '../shared/http-client';
import { AmlyzeClient } from './amlyze.client';

/**
 * What knows AMLYZE: its records, its numbers, its client. Verdicts and records are pure functions and need no
 * provider.
 */
@Module({
  providers: [
    {
      provide: AmlyzeClient,
      inject: [HttpClient, Environment],
      useFactory: (http: HttpClient, environment: Environment): AmlyzeClient => new AmlyzeClient(http, environment),
    },
  ],
  exports: [AmlyzeClient],
})
export class AmlyzeModule {}

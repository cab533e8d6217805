import { Module } from '@nestjs/common';
import { Environment } from '../config/environment';
import { HttpClient } from '../shared/http-client';
import { AmlyzeClient } from './amlyze.client';
import { Installation } from './installation';

/**
 * What knows AMLYZE: its records, its numbers and what this installation puts into them, its client. Verdicts and records are
 * pure functions and need no provider.
 */
@Module({
  providers: [
    Installation,
    {
      provide: AmlyzeClient,
      inject: [HttpClient, Environment],
      useFactory: (http: HttpClient, environment: Environment): AmlyzeClient => new AmlyzeClient(http, environment),
    },
  ],
  exports: [AmlyzeClient, Installation],
})
export class AmlyzeModule {}

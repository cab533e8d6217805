import { Global, Inject, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Environment } from '../config/environment';
import { HttpClient } from './http-client';

/** Balances, operations one by one, and operations in batches have AMLYZE_CONCURRENCY calls each. */
const AMLYZE_LANES = 3;
/** Calls that operators cause: previews, checks, token renewals, validations of imports. */
const FURTHER_CALLS = 20;

/**
 * As many connections as there can be calls towards one origin, were it all banks and AMLYZE behind one proxy: a call that had to wait for
 * another's connection would wait within its own deadline, and a healthy bank would look unavailable.
 */
function connectionsPerOrigin({ syncConcurrency, amlyzeConcurrency }: Environment): number {
  return syncConcurrency + AMLYZE_LANES * amlyzeConcurrency + FURTHER_CALLS;
}

/** One HttpClient for all outgoing calls. Its connections are cut last, after those who send have waited for their answers. */
@Global()
@Module({
  providers: [
    {
      provide: HttpClient,
      inject: [Environment],
      useFactory: (environment: Environment): HttpClient => {
        const { allowPrivateAddresses, logLevel } = environment;
        const logger = new Logger(HttpClient.name);
        const logsCalls = logLevel === 'debug' || logLevel === 'trace';
        return new HttpClient({
          allowPrivateAddresses,
          connectionsPerOrigin: connectionsPerOrigin(environment),
          ...(logsCalls && { logger }),
        });
      },
    },
  ],
  exports: [HttpClient],
})
export class HttpModule implements OnApplicationShutdown {
  constructor(@Inject(HttpClient) private readonly client: HttpClient) {}

  async onApplicationShutdown(): Promise<void> {
    await this.client.close();
  }
}

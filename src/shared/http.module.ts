import { Global, Inject, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Environment } from '../config/environment';
import { HttpClient } from './http-client';

/** One HttpClient for all outgoing calls. Its connections are cut last, after those who send have waited for their answers. */
@Global()
@Module({
  providers: [
    {
      provide: HttpClient,
      inject: [Environment],
      useFactory: ({ allowPrivateAddresses, logLevel }: Environment): HttpClient => {
        const logger = new Logger(HttpClient.name);
        const logsCalls = logLevel === 'debug' || logLevel === 'trace';
        return new HttpClient({ allowPrivateAddresses, ...(logsCalls && { logger }) });
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

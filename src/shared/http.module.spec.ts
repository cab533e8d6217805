import { Test } from '@nestjs/testing';
import { ConfigModule } from '../config/config.module';
import { Environment } from '../config/environment';
import { HttpClient } from './http-client';
import { HttpModule } from './http.module';

it('HttpModule provides a client with the environment\u2019s address rule and closes it on shutdown', async () => {
  const module = await Test.createTestingModule({ imports: [ConfigModule, HttpModule] })
    .overrideProvider(Environment)
    .useValue({ allowPrivateAddresses: false, logLevel: 'info', syncConcurrency: 32, amlyzeConcurrency: 4 })
    .compile();
  const client = module.get(HttpClient);
  const request = { method: 'GET', url: 'https://127.0.0.1:1/', headers: {}, deadlineMs: 1_000 } as const;
  expect(await client.send(request)).toMatchObject({ cause: 'address-not-allowed' });
  await module.close();
  expect(await client.send(request)).toMatchObject({
    cause: 'connection-lost',
    detail: expect.stringContaining('closed') as string,
  });
});

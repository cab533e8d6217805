import { randomBytes } from 'node:crypto';
import { Global, Module, type ModuleMetadata } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { DataSource } from 'typeorm';
import { AdminModule } from '../../src/admin/admin.module';
import { configureApp } from '../../src/admin/configure-app';
import { Environment } from '../../src/config/environment';
import { loadEnvironment } from '../../src/config/load-environment';
import { Database } from '../../src/shared/database';
import { HttpClient } from '../../src/shared/http-client';
import { SecretBox } from '../../src/shared/secret-box';
import { createTestDatabase, type TestDatabase } from './postgres';

export const ADMIN_KEY = 'test-admin-key-of-at-least-32-characters';

export interface AdminApp {
  app: NestExpressApplication;
  url: string;
  testDatabase: TestDatabase;
  /** supertest with the admin key. */
  api: ReturnType<typeof request.agent>;
  /** supertest without it. */
  anonymous: ReturnType<typeof request.agent>;
  close(): Promise<void>;
}

/**
 * The admin API of the given modules on a free port, with the real global parts.
 *
 * @param shared a database that outlives the app; without it, the app has one of its own
 */
export async function startAdminApp(
  imports: NonNullable<ModuleMetadata['imports']>,
  variables: NodeJS.ProcessEnv = {},
  shared?: TestDatabase,
): Promise<AdminApp> {
  const testDatabase = shared ?? (await createTestDatabase());
  const environment = loadEnvironment({
    DATABASE_URL: testDatabase.url,
    ADMIN_API_KEY: ADMIN_KEY,
    ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    AMLYZE_BASE_URL: 'http://127.0.0.1:1',
    AMLYZE_TOKEN: 'test-token',
    ALLOW_PRIVATE_ADDRESSES: 'true',
    ...variables,
  });
  const http = new HttpClient({ allowPrivateAddresses: environment.allowPrivateAddresses });
  const moduleRef = await Test.createTestingModule({
    imports: [sharedParts(environment, testDatabase, http), AdminModule, ...imports],
  }).compile();
  const app = moduleRef.createNestApplication<NestExpressApplication>({ bodyParser: false, logger: false });
  configureApp(app, environment);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return {
    app,
    url,
    testDatabase,
    api: request.agent(url).set('Authorization', `Bearer ${ADMIN_KEY}`),
    anonymous: request.agent(url),
    close: async () => {
      await app.close();
      await http.close();
      if (!shared) await testDatabase.drop();
    },
  };
}

function sharedParts(environment: Environment, testDatabase: TestDatabase, http: HttpClient): new () => object {
  const providers = [
    { provide: Environment, useValue: environment },
    { provide: Database, useValue: testDatabase.database },
    { provide: DataSource, useValue: testDatabase.dataSource },
    { provide: HttpClient, useValue: http },
    { provide: SecretBox, useValue: new SecretBox(environment.encryptionKeys) },
  ];
  @Global()
  @Module({ providers, exports: providers.map(({ provide }) => provide) })
  class SharedParts {}
  return SharedParts;
}

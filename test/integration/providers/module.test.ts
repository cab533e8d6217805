import { randomBytes } from 'node:crypto';
import { Global, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Environment } from '../../../src/config/environment';
import { MyposProvider } from '../../../src/providers/mypos/mypos.provider';
import { OneSingleViewProvider } from '../../../src/providers/onesingleview/onesingleview.provider';
import { ProvidersModule } from '../../../src/providers/providers.module';
import { ProviderRegistry } from '../../../src/providers/registry';
import { Database } from '../../../src/shared/database';
import { HttpClient } from '../../../src/shared/http-client';
import { SecretBox } from '../../../src/shared/secret-box';

describe('the module', () => {
  it('registers every provider with what it needs, by injection', async () => {
    const globals = [
      { provide: HttpClient, useValue: new HttpClient({ allowPrivateAddresses: true }) },
      { provide: Database, useValue: {} },
      { provide: SecretBox, useValue: new SecretBox([{ id: 'k1', key: randomBytes(32) }]) },
      { provide: Environment, useValue: { leaseSeconds: 30, pollIntervalMs: 500 } },
    ];
    @Global()
    @Module({ providers: globals, exports: globals.map(({ provide }) => provide) })
    class Globals {}
    const module = await Test.createTestingModule({ imports: [Globals, ProvidersModule] }).compile();
    const registry = module.get(ProviderRegistry);
    expect(registry.names()).toEqual(['mypos', 'onesingleview']);
    expect(registry.get('mypos')).toBeInstanceOf(MyposProvider);
    expect(registry.get('onesingleview')).toBeInstanceOf(OneSingleViewProvider);
    expect(registry.get('constructor')).toBeUndefined();
    await module.close();
  });
});

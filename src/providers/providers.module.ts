import { Module } from '@nestjs/common';
import { MyposProvider } from './mypos/mypos.provider';
import { OneSingleViewProvider } from './onesingleview/onesingleview.provider';
import type { BalanceProvider } from './provider';
import { ProviderTokens } from './provider-tokens';
import { ProviderRegistry } from './registry';

/** Every bank API that the gateway speaks: a new one is its folder, its fixtures and one line here. */
const PROVIDERS = [
  MyposProvider, //
  OneSingleViewProvider,
];

/** Stage 1, fetch. HttpClient, Database, SecretBox and Environment come from global modules. */
@Module({
  providers: [
    ...PROVIDERS,
    ProviderTokens,
    {
      provide: ProviderRegistry,
      inject: PROVIDERS,
      useFactory: (...providers: BalanceProvider[]) => new ProviderRegistry(providers),
    },
  ],
  exports: [ProviderRegistry],
})
export class ProvidersModule {}

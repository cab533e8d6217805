import { Global, Module } from '@nestjs/common';
import { Environment } from '../config/environment';
import { SecretBox } from './secret-box';

/** One SecretBox for the whole gateway, with the keys of ENCRYPTION_KEYS. */
@Global()
@Module({
  providers: [
    {
      provide: SecretBox,
      inject: [Environment],
      useFactory: (environment: Environment): SecretBox => new SecretBox(environment.encryptionKeys),
    },
  ],
  exports: [SecretBox],
})
export class SecretsModule {}

import { Module } from '@nestjs/common';
import { CardVault } from './card-vault';

/** For whoever has to open a sealed request: delivery at the send, records for a masked view. */
@Module({ providers: [CardVault], exports: [CardVault] })
export class CardVaultModule {}

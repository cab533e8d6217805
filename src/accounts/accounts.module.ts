import { Module } from '@nestjs/common';
import { ConnectionsModule } from '../connections/connections.module';
import { AccountsController } from './accounts.controller';
import { AccountsService } from './accounts.service';
import { AccountImport } from './import/account-import';
import { SharedNames } from './shared-names';

/** Whom we ask about, and what AMLYZE calls it. */
@Module({
  imports: [ConnectionsModule],
  controllers: [AccountsController],
  providers: [AccountsService, AccountImport, SharedNames],
})
export class AccountsModule {}

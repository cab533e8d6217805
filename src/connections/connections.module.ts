import { Module } from '@nestjs/common';
import { ProvidersModule } from '../providers/providers.module';
import { ConnectionDirectory } from './connection-directory';
import { ConnectionsController } from './connections.controller';
import { ConnectionsService } from './connections.service';

/** How we reach a bank API: provider, base URL, settings, secrets. */
@Module({
  imports: [ProvidersModule],
  controllers: [ConnectionsController],
  providers: [ConnectionDirectory, ConnectionsService],
  exports: [ConnectionDirectory],
})
export class ConnectionsModule {}

import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AdminKeyGuard, AdminKeys } from './admin-key.guard';
import { AuditTrail } from './audit-trail';
import { MediaTypeGuard } from './media-type.guard';

/** Who may call, what is written down about it, and in which form requests and errors come. */
@Global()
@Module({
  providers: [
    AdminKeys,
    AuditTrail,
    // In this order: a caller without a key learns nothing of what a route reads.
    { provide: APP_GUARD, useClass: AdminKeyGuard },
    { provide: APP_GUARD, useClass: MediaTypeGuard },
  ],
  exports: [AdminKeys, AuditTrail],
})
export class AdminModule {}

import { Global, Module } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { AdminKeyGuard, AdminKeys } from './admin-key.guard';
import { AuditTrail } from './audit-trail';
import { JsonBodyInterceptor } from './json-body';
import { MediaTypeGuard, StreamedTypes } from './media-type.guard';

/** Who may call, what is written down about it, and in which form requests and errors come. */
@Global()
@Module({
  providers: [
    AdminKeys,
    AuditTrail,
    StreamedTypes,
    // In this order: a caller without a key learns nothing of what a route reads.
    { provide: APP_GUARD, useClass: AdminKeyGuard },
    { provide: APP_GUARD, useClass: MediaTypeGuard },
    { provide: APP_INTERCEPTOR, useClass: JsonBodyInterceptor },
  ],
  exports: [AdminKeys, AuditTrail],
})
export class AdminModule {}

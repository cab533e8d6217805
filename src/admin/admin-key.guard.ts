import { createHash, timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { Environment } from '../config/environment';
import { ApiProblem } from '../shared/problem';
import { requestContext } from './request-context';

const PUBLIC = 'admin:public';

/** Lets a route be called without an admin key. `'metrics'` does so only where METRICS_PUBLIC is set. */
export const Public = (when: 'always' | 'metrics' = 'always'): MethodDecorator & ClassDecorator =>
  SetMetadata(PUBLIC, when);

/** Knows who may come in: today the one key of ADMIN_API_KEY. */
@Injectable()
export class AdminKeys {
  private readonly digest: Buffer;

  constructor(environment: Environment) {
    this.digest = sha256(environment.adminApiKey);
  }

  /** @returns the key's name for the audit trail, or undefined where the header holds no valid key */
  identify(authorization: string | undefined): string | undefined {
    const token = /^Bearer +(\S(?:.*\S)?) *$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return undefined;
    // Digests have one length, so the comparison tells nothing about how much of a guess is right.
    return timingSafeEqual(sha256(token), this.digest) ? 'admin' : undefined;
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}

/** Global: a new route is closed unless it says @Public(). */
@Injectable()
export class AdminKeyGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly keys: AdminKeys,
    private readonly environment: Environment,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const open = this.reflector.getAllAndOverride<'always' | 'metrics' | undefined>(PUBLIC, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (open === 'always' || (open === 'metrics' && this.environment.metricsPublic)) return true;
    const actor = this.keys.identify(context.switchToHttp().getRequest<Request>().get('authorization'));
    if (actor === undefined) throw ApiProblem.unauthorized();
    const current = requestContext();
    if (current) current.actor = actor;
    return true;
  }
}

import { type CanActivate, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { ApiProblem } from '../shared/problem';

const CONSUMES = 'admin:consumes';
const JSON_ONLY = ['application/json'];

/** Media types that a route reads itself: it gets its body as a stream, where others get the values of a JSON object. */
export const Consumes = (...types: string[]): MethodDecorator => SetMetadata(CONSUMES, types);

/** Knows which routes read their body themselves. */
@Injectable()
export class StreamedTypes {
  constructor(private readonly reflector: Reflector) {}

  /** What the route of this call reads itself; undefined where it does not. */
  of(context: ExecutionContext): string[] | undefined {
    return this.reflector.get<string[] | undefined>(CONSUMES, context.getHandler());
  }
}

/** Refuses bodies that the route would not read, so that none is ever silently taken for an empty one. */
@Injectable()
export class MediaTypeGuard implements CanActivate {
  constructor(private readonly streamed: StreamedTypes) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    if (!hasBody(request)) return true;
    const allowed = this.streamed.of(context) ?? JSON_ONLY;
    const encoded = (request.get('content-encoding') ?? 'identity').toLowerCase() !== 'identity';
    if (!allowed.includes(mediaType(request)) || encoded) throw ApiProblem.unsupportedMediaType(allowed);
    return true;
  }
}

/** The media type without parameters; empty where the header is missing or names another charset than UTF-8. */
export function mediaType(request: Request): string {
  const [type = '', ...parameters] = (request.get('content-type') ?? '').toLowerCase().split(';');
  const charset = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith('charset='));
  if (charset !== undefined && !/^charset="?(utf-8|us-ascii)"?$/.test(charset)) return '';
  return type.trim();
}

/** Whether the request says that it carries a body. */
export function hasBody(request: Request): boolean {
  const length = request.get('content-length');
  return request.get('transfer-encoding') !== undefined || (length !== undefined && length !== '0');
}

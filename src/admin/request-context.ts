import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
import { holdsCardNumber } from '../shared/card-scan';

/** What the code under a request may know about it without having it handed down. */
export interface RequestContext {
  correlationId: string;
  /** Name of the key that the request came with; unset until the guard has let it in. */
  actor?: string;
}

const contexts = new AsyncLocalStorage<RequestContext>();

const CORRELATION_HEADER = 'X-Correlation-Id';

/** The current request's context, or undefined outside any request. */
export function requestContext(): RequestContext | undefined {
  return contexts.getStore();
}

/**
 * Gives each request a correlation id, which is in its log lines, its audit entries and every error answer. A caller's
 * own X-Correlation-Id is kept where it is short and harmless to print.
 */
export function correlate(request: Request, response: Response, next: NextFunction): void {
  const given = request.get(CORRELATION_HEADER);
  const usable = given !== undefined && /^[A-Za-z0-9._-]{1,64}$/.test(given) && !holdsCardNumber(given);
  const correlationId = usable ? given : randomUUID();
  // pino-http takes a request's id from here.
  Object.assign(request, { id: correlationId });
  response.setHeader(CORRELATION_HEADER, correlationId);
  contexts.run({ correlationId }, next);
}

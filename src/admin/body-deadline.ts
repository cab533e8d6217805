import type { NextFunction, Request, Response } from 'express';
import { mediaType } from './media-type.guard';

const BODY_DEADLINE_MS = 30_000;

/**
 * Ends requests whose body comes in drop by drop. Node's own requestTimeout cannot tell routes apart and would cut a
 * long import, which is bounded by the socket's idle time-out instead.
 */
export function bodyDeadline(request: Request, response: Response, next: NextFunction): void {
  if (mediaType(request) !== 'application/json') {
    next();
    return;
  }
  const timer = setTimeout(() => {
    if (!request.complete) request.destroy();
  }, BODY_DEADLINE_MS);
  timer.unref();
  request.once('end', () => clearTimeout(timer));
  response.once('close', () => clearTimeout(timer));
  next();
}

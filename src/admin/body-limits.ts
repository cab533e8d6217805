import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import { ApiProblem } from '../shared/problem';
import { mediaType } from './media-type.guard';

/** Of a JSON body, in bytes. Accounts come in larger numbers by the import, which is a stream. */
export const MAX_BODY_BYTES = 1_000_000;

/** Routes that read their JSON text themselves, since JSON.parse would round the amounts in it. */
const EXACT_JSON_PATHS = new Set(['/admin/operations']);

/** Whether the common parser is to read this body. Paths are compared as Express does: in any case, with or without a slash. */
export function isForJsonParser(request: IncomingMessage): boolean {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) return false;
  const [path = ''] = (request.url ?? '').split('?');
  return !EXACT_JSON_PATHS.has(path.toLowerCase().replace(/\/+$/, ''));
}

const MAX_DEPTH = 32;
const BODY_DEADLINE_MS = 30_000;

const PROTOTYPE_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Refuses bodies that are nested so deep that validation, which is recursive, could run out of stack, and keys that
 * JSON.parse keeps as own properties but copying code further in could turn into real prototypes.
 */
export function refuseHostileShapes(request: Request, _response: Response, next: NextFunction): void {
  next(shapeProblem(request.body));
}

function shapeProblem(body: unknown): ApiProblem | undefined {
  const open: { value: unknown; depth: number }[] = [{ value: body, depth: 1 }];
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    const { value, depth } = item;
    if (typeof value !== 'object' || value === null) continue;
    if (depth > MAX_DEPTH) return ApiProblem.malformed(`The body must not be nested deeper than ${MAX_DEPTH} levels.`);
    for (const [key, inner] of Object.entries(value)) {
      if (PROTOTYPE_KEYS.has(key)) {
        return ApiProblem.malformed('The body must not have fields named __proto__, constructor or prototype.');
      }
      open.push({ value: inner, depth: depth + 1 });
    }
  }
  return undefined;
}

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

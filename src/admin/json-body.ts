import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import { maskCardNumbers } from '../shared/card-scan';
import { JsonProblem, parseJson, type JsonValue } from '../shared/json';
import { ApiProblem } from '../shared/problem';
import { isForJsonParser, MAX_BODY_BYTES } from './body-limits';

const NOT_UTF8 = 'The body must be UTF-8.';

/**
 * The JSON of a body with every number as it was sent. Bytes that are not UTF-8 are refused: decoded, they would be stored as U+FFFD.
 *
 * @throws ApiProblem 400 where there is none
 */
export function readJson(bytes: Buffer, maxDepth: number): JsonValue {
  if (!isUtf8(bytes)) throw ApiProblem.malformed(NOT_UTF8);
  return readJsonText(bytes.toString('utf8'), maxDepth);
}

function readJsonText(text: string, maxDepth?: number): JsonValue {
  try {
    return parseJson(text, maxDepth === undefined ? {} : { maxDepth });
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    throw ApiProblem.malformed(`The body must be well-formed JSON: ${maskCardNumbers(error.message)}.`);
  }
}

/** The common parser. It is not strict, so that a body of `null` comes to a message of ours and not to one about its syntax. */
export const JSON_PARSER = { limit: MAX_BODY_BYTES, inflate: false, strict: false, type: isForJsonParser, verify };

/** A body that says to be in another charset is refused by its media type. */
function verify(_request: IncomingMessage, _response: ServerResponse, bytes: Buffer, encoding: string): void {
  if (encoding === 'utf-8' && !isUtf8(bytes)) throw new Error(NOT_UTF8);
}

/** Says what is wrong with a body that the common parser refused: its own errors look like those of a malformed URL further in. */
export function explainRefusedBody(error: unknown, _request: Request, _response: Response, next: NextFunction): void {
  next(bodyProblem(error) ?? error);
}

function bodyProblem(error: unknown): ApiProblem | undefined {
  if (!(error instanceof Error) || !('type' in error)) return undefined;
  if (error.type === 'entity.verify.failed') return ApiProblem.malformed(NOT_UTF8);
  if (error.type !== 'entity.parse.failed' || !('body' in error) || typeof error.body !== 'string') return undefined;
  try {
    // The engine's message quotes the text, which may hold a secret; this one tells the position.
    readJsonText(error.body);
  } catch (problem) {
    if (problem instanceof ApiProblem) return problem;
  }
  return ApiProblem.malformed('The body must be well-formed JSON.');
}

/** Every body that the common parser reads is one object. */
export function refuseOtherThanObject(request: Request, _response: Response, next: NextFunction): void {
  const body: unknown = request.body;
  if (body === undefined || (typeof body === 'object' && body !== null && !Array.isArray(body))) next();
  else next(ApiProblem.malformed(`The body must be one JSON object, not ${kindOf(body)}.`));
}

function kindOf(body: unknown): string {
  if (body === null) return 'null';
  return Array.isArray(body) ? 'a list' : `a ${typeof body}`;
}

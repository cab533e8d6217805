import { isUtf8 } from 'node:buffer';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Request } from 'express';
import type { Observable } from 'rxjs';
import { maskCardNumbers } from '../shared/card-scan';
import { isJsonObject, type JsonLimits, JsonNumber, JsonProblem, parseJson, type JsonValue } from '../shared/json';
import { ApiProblem } from '../shared/problem';
import { hasBody, StreamedTypes } from './media-type.guard';

interface BodyLimits extends JsonLimits {
  megabytes: number;
  /** Where a larger body would go, as the end of a sentence. */
  larger?: string;
}

/** Accounts come in larger numbers by the import, which is a stream. Validation is recursive, and must not run out of stack. */
const LIMITS: BodyLimits = { megabytes: 1, maxDepth: 32, nulAllowed: true };

/**
 * Global: gives a handler the JSON of its body as plain values, unless it is `@Consumes` and reads by itself. It comes after the guards, so
 * that nobody without a key is read from.
 */
@Injectable()
export class JsonBodyInterceptor implements NestInterceptor {
  constructor(private readonly streamed: StreamedTypes) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<Request>();
    if (this.reads(request, context)) request.body = await readObject(request);
    return next.handle();
  }

  /** No GET has a use for a body, and those without a key are all GETs: what they send is not kept. */
  private reads(request: Request, context: ExecutionContext): boolean {
    const sends = !['GET', 'HEAD'].includes(request.method) && hasBody(request);
    return sends && this.streamed.of(context) === undefined;
  }
}

/** Every body but those of operations is one object; one of no bytes, sent in chunks, is none. */
async function readObject(request: Request): Promise<unknown> {
  const bytes = await readBytes(request, LIMITS);
  if (bytes.length === 0) return undefined;
  const body = parseBytes(bytes, LIMITS);
  if (!isJsonObject(body)) throw ApiProblem.malformed(`The body must be one JSON object, not ${kindOf(body)}.`);
  return toPlain(body);
}

function kindOf(body: JsonValue): string {
  if (body === null) return 'null';
  if (Array.isArray(body)) return 'a list';
  return body instanceof JsonNumber ? 'a number' : `a ${typeof body}`;
}

/** The value as the engine's own parser has it: objects of the usual kind, numbers as floats. */
function toPlain(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number(value.source);
  if (Array.isArray(value)) return value.map(toPlain);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toPlain(member)]));
}

/**
 * The JSON of a body that nobody has read yet, with every number as it was sent. Bytes that are not UTF-8 are refused: decoded, they would be
 * stored as U+FFFD.
 *
 * @throws ApiProblem 400 where there is none, 413 where it is too large
 */
export async function readJsonBody(request: Request, limits: BodyLimits): Promise<JsonValue> {
  return parseBytes(await readBytes(request, limits), limits);
}

function parseBytes(bytes: Buffer, limits: BodyLimits): JsonValue {
  if (!isUtf8(bytes)) throw ApiProblem.malformed('The body must be UTF-8.');
  try {
    return parseJson(bytes.toString('utf8'), limits);
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    throw ApiProblem.malformed(`The body must be well-formed JSON: ${maskCardNumbers(error.message)}.`);
  }
}

async function readBytes(request: Request, { megabytes, larger = '' }: BodyLimits): Promise<Buffer> {
  const tooLarge = ApiProblem.tooLarge(`The body must not be larger than ${megabytes} MB${larger}.`);
  const maxBytes = megabytes * 1_000_000;
  if (Number(request.get('content-length') ?? 0) > maxBytes) throw tooLarge;
  const parts: Buffer[] = [];
  let length = 0;
  const body: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  try {
    for await (const part of body) {
      length += part.length;
      if (length > maxBytes) throw tooLarge;
      parts.push(part);
    }
  } catch (error) {
    // The caller went away or was cut off: no fault of ours that the log would have to tell.
    throw request.complete || error === tooLarge ? error : ApiProblem.malformed('The body ended early.');
  }
  return Buffer.concat(parts);
}

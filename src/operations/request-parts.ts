import type { Request } from 'express';
import { readJson } from '../admin/json-body';
import { holdsCardNumber } from '../shared/card-scan';
import type { JsonValue } from '../shared/json';
import { ApiProblem } from '../shared/problem';

/** Room for a list of 1,000 operations with four parties each. */
const MAX_BODY_BYTES = 4_000_000;

/** Levels that a body may be nested: a list of operations has four. */
const MAX_DEPTH = 8;

/** The JSON of a request whose body no parser has touched: numbers are still the digits that were sent. */
export async function readJsonBody(request: Request): Promise<JsonValue> {
  return readJson(await readBytes(request), MAX_DEPTH);
}

async function readBytes(request: Request): Promise<Buffer> {
  const tooLarge = ApiProblem.tooLarge(
    `The body must not be larger than ${MAX_BODY_BYTES / 1_000_000} MB; more operations come by POST /admin/operations/import.`,
  );
  if (Number(request.get('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLarge;
  const parts: Buffer[] = [];
  let length = 0;
  const body: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const part of body) {
    length += part.length;
    if (length > MAX_BODY_BYTES) throw tooLarge;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

const HEADER = 'Idempotency-Key';

/** @throws ApiProblem where it is not usable */
export function idempotencyKey(request: Request): string | undefined {
  const key = request.get(HEADER);
  if (key === undefined) return undefined;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw ApiProblem.invalid([{ field: HEADER, message: 'must be 1 to 255 visible ASCII characters without blanks' }]);
  }
  if (holdsCardNumber(key)) throw ApiProblem.invalid([{ field: HEADER, message: 'must not hold a card number' }]);
  return key;
}

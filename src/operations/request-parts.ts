import type { Request } from 'express';
import { readJsonBody } from '../admin/json-body';
import { holdsCardNumber } from '../shared/card-scan';
import type { JsonValue } from '../shared/json';
import { ApiProblem } from '../shared/problem';

/** The JSON of a list of operations or of one, with every number as it was sent. A list of 1,000 has room, and has four levels. */
export function readOperations(request: Request): Promise<JsonValue> {
  const larger = '; more operations come by POST /admin/operations/import';
  return readJsonBody(request, { megabytes: 4, maxDepth: 8, larger });
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

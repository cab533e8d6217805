import type { ApiOperationOptions } from '@nestjs/swagger';
import type { Request, Response } from 'express';

/** What an import reads: one JSON object a line, or CSV with a header row. */
export const IMPORT_TYPES = { ndjson: 'application/x-ndjson', csv: 'text/csv' } as const;

/** Its body in the OpenAPI document, with an example for each type. */
export function importBody(
  examples: Record<keyof typeof IMPORT_TYPES, string>,
): NonNullable<ApiOperationOptions['requestBody']> {
  const textOf = (example: string): object => ({ schema: { type: 'string', example } });
  return {
    required: true,
    content: { [IMPORT_TYPES.ndjson]: textOf(examples.ndjson), [IMPORT_TYPES.csv]: textOf(examples.csv) },
  };
}

/**
 * Lets an import read the body of a request as it comes in, and answer it.
 *
 * @returns false where the client went away: then whatever failed has nobody to be told to
 */
export async function answerImport(
  request: Request,
  response: Response,
  answer: (body: AsyncIterable<Buffer>) => Promise<void>,
): Promise<boolean> {
  try {
    // An iterator that gave up would close the connection, and with it the way back for the answer.
    await answer(request.iterator({ destroyOnReturn: false }));
    return true;
  } catch (error) {
    // A request that was read to its end is `destroyed` too; only the socket tells that nobody waits any more.
    if (!response.closed && !request.socket.destroyed) throw error;
    return false;
  }
}

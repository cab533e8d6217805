import type { IncomingMessage, ServerResponse } from 'node:http';

interface Patience {
  timeoutMs: number;
  maxBytes: number;
}

const PATIENCE: Patience = { timeoutMs: 5_000, maxBytes: 64_000_000 };

/**
 * Sends an answer to a request whose body nobody reads to its end, and closes the connection after it. A socket that closes with unread
 * bytes is reset, and most callers that are still sending then see a broken pipe and never the answer. So the rest is read and dropped
 * first: of a body of any usual size, and not for long.
 */
export function answerUnread(
  request: IncomingMessage,
  response: ServerResponse,
  body: string,
  patience = PATIENCE,
): void {
  response.setHeader('Connection', 'close');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.write(body);
  let left = patience.maxBytes;
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, patience.timeoutMs);
  request.on('data', (part: Buffer) => {
    left -= part.length;
    if (left < 0) end();
  });
  request.once('end', end);
  request.once('close', end);
  request.resume();
}

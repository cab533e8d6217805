import { createServer } from 'node:net';
import { ChildEnded } from './child';

/**
 * Starts something on the wished port, or on a free one where that is taken. Somebody may take the port between the look and
 * the start; then it is started once more.
 */
export async function startOnPort<T>(wished: number, start: (port: number) => Promise<T>): Promise<T> {
  try {
    return await start((await portIfFree(wished)) ?? (await freePort()));
  } catch (error) {
    if (!(error instanceof ChildEnded && error.lastWords.includes('EADDRINUSE'))) throw error;
    return start(await freePort());
  }
}

async function freePort(): Promise<number> {
  const port = await portIfFree(0);
  if (port === undefined) throw new Error('there is no free port on 127.0.0.1');
  return port;
}

function portIfFree(port: number): Promise<number | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}

import { errorCode } from '../shared/error-code';
import { StartProblem } from '../shared/start-problem';
import type { Environment } from './environment';

/** Why the gateway cannot listen, as the variable that is to blame; an error of another kind comes back as it is. */
export function explainListenFailure(error: unknown, { port, host }: Pick<Environment, 'port' | 'host'>): unknown {
  const line = lineOf(errorCode(error), port, host);
  return line === undefined ? error : new StartProblem([line], { cause: error });
}

function lineOf(code: string, port: number, host: string): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `PORT: ${port} is in use by another process; stop it or choose another`;
    case 'EACCES':
      return `PORT: ${port} may not be taken by this user; choose one from 1024 on`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `HOST: ${host} is no address of this machine`;
    default:
      return undefined;
  }
}

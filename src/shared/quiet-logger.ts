import type { LoggerService } from '@nestjs/common';

/** Where Nest tells at every start what the code says anyway: sixty lines that hide the one that matters. */
const CHATTER = new Set(['InstanceLoader', 'RouterExplorer', 'RoutesResolver', 'NestFactory']);

/** The same logger without the framework's own start-up lines. */
export function withoutChatter(logger: LoggerService): LoggerService {
  const quiet = Object.create(logger) as LoggerService;
  quiet.log = (message: unknown, ...rest: unknown[]) => {
    const context = rest.at(-1);
    if (typeof context === 'string' && CHATTER.has(context)) return;
    logger.log(message, ...rest);
  };
  return quiet;
}

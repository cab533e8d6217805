import { Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { Environment } from './config/environment';
import { maskCardNumbers } from './shared/card-scan';

interface LoggedRequest {
  id?: unknown;
  method?: string;
  url?: string;
}

/**
 * One JSON line an event. Requests are logged by an allow-list (method, path without query, status, duration): a header
 * or a body that nobody thought of cannot leak. A fault of ours is logged with its stack, as `err`; of what mends by itself, a
 * database that is away above all, `error` has the words alone.
 */
@Module({
  imports: [
    LoggerModule.forRootAsync({
      inject: [Environment],
      useFactory: ({ logLevel }: Environment) => ({
        pinoHttp: {
          level: logLevel,
          base: null,
          timestamp: () => `,"time":"${new Date().toISOString()}"`,
          formatters: { level: (label: string) => ({ level: label }) },
          serializers: {
            req: (request: LoggedRequest) => ({
              id: request.id,
              method: request.method,
              path: shownPath(request.url?.split('?')[0] ?? ''),
            }),
            res: (response: { statusCode?: number }) => ({ status: response.statusCode }),
            err: (error: { type?: string; message?: string; stack?: string }) => ({
              type: error.type,
              message: error.message,
              stack: error.stack,
            }),
          },
          // For an answer from 500 on it makes an error of its own, whose stack is the logger's: the cause has a line of its own.
          customErrorObject: (_request: unknown, _response: unknown, error: Error, fields: object) =>
            error.message.startsWith('failed with status code') ? { ...fields, err: undefined } : fields,
          autoLogging: {
            ignore: (request: LoggedRequest) =>
              request.url?.startsWith('/health') === true || request.url?.startsWith('/metrics') === true,
          },
        },
      }),
    }),
  ],
})
export class LogModule {}

/** Somebody will look a card number up as if it were an id, with the blanks in it as %20. */
function shownPath(path: string): string {
  const decoded = path.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
    Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
  );
  const masked = maskCardNumbers(decoded);
  return masked === decoded ? path : masked;
}

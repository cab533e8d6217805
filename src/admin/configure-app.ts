import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';
import type { Environment } from '../config/environment';
import { AdminKeys } from './admin-key.guard';
import { bodyDeadline } from './body-deadline';
import { serveOpenApi } from './open-api';
import { ProblemFilter } from './problem.filter';
import { correlate } from './request-context';
import { StrictPipe } from './validation.pipe';

const HEADERS_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 120_000;
const MAX_HEADERS = 100;
const MAX_CONNECTIONS = 2_000;

/**
 * Everything between the socket and the controllers. The application has to be created with `bodyParser: false`:
 * JsonBodyInterceptor reads the bodies.
 */
export function configureApp(app: NestExpressApplication, environment: Environment): void {
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use(correlate);
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
      },
    }),
  );
  app.use(noStore);
  app.use(bodyDeadline);
  app.useGlobalPipes(new StrictPipe());
  app.useGlobalFilters(new ProblemFilter(app.get(AdminKeys)));
  serveOpenApi(app, environment);
  limitServer(app);
}

/** Answers hold account data: no cache on the way may keep them. */
function noStore(_request: Request, response: Response, next: NextFunction): void {
  response.setHeader('Cache-Control', 'no-store');
  next();
}

function limitServer(app: NestExpressApplication): void {
  const server = app.getHttpServer();
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  // No total limit, because an import may take long; bodyDeadline and the idle time-out bound the rest.
  server.requestTimeout = 0;
  server.setTimeout(IDLE_TIMEOUT_MS);
  server.maxHeadersCount = MAX_HEADERS;
  server.maxConnections = MAX_CONNECTIONS;
}

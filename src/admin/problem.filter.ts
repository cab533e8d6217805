import { STATUS_CODES } from 'node:http';
import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Logger,
  NotFoundException,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { maskCardNumbers } from '../shared/card-scan';
import { classifyDatabaseFailure, databaseFailureText } from '../shared/database-failure';
import { ApiProblem, type ProblemBody } from '../shared/problem';
import { StoredProblem } from '../shared/stored-problem';
import type { AdminKeys } from './admin-key.guard';
import { requestContext } from './request-context';
import { answerUnread } from './unread-body';

/** More are of no use to a reader, and an answer must not grow with the input. */
const MAX_ERRORS = 50;

/** Writes every error as application/problem+json. Only what an ApiProblem says goes out; the rest stays in the log. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  constructor(private readonly keys: AdminKeys) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const problem = this.isHidden(error, request) ? ApiProblem.unauthorized() : toProblem(error, request.method);
    const correlationId = requestContext()?.correlationId ?? response.get('X-Correlation-Id') ?? 'none';
    if (problem.getStatus() >= 500) {
      // What mends by itself needs no stack: it would be there for every request of an outage.
      const cause = problem.getStatus() === 503 ? { error: databaseFailureText(error) } : { err: error };
      this.logger.error({ msg: 'request failed', correlationId, method: request.method, ...cause });
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const body = JSON.stringify(toBody(problem, correlationId));
    response
      .status(problem.getStatus())
      .set({ 'Cache-Control': 'no-store', ...problem.headers })
      .type('application/problem+json; charset=utf-8');
    if (request.complete) response.send(body);
    else answerUnread(request, response, body);
  }

  /** A path below /admin that is no route. Without a key it looks like one that is: where /docs is closed, nobody learns the list by trying. */
  private isHidden(error: unknown, request: Request): boolean {
    if (!(error instanceof NotFoundException) || !/^\/admin(\/|$)/i.test(request.path)) return false;
    return this.keys.identify(request.get('authorization')) === undefined;
  }
}

export function toBody(problem: ApiProblem, correlationId: string): ProblemBody {
  const { type, title, message, errors, extra } = problem;
  const status = problem.getStatus();
  // These two quote the caller: the id that is not there, and names of fields that are unknown.
  const detail = status === 404 ? maskCardNumbers(message) : message;
  const shown = errors?.slice(0, MAX_ERRORS).map((error) => ({ ...error, field: maskCardNumbers(error.field) }));
  return { ...extra, type, title, status, detail, correlationId, ...(shown && { errors: shown }) };
}

/** What the caller may know about an error. Framework messages quote the input, so they are replaced, not passed on. */
export function toProblem(error: unknown, method: string): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (error instanceof HttpException) return ofStatus(error.getStatus());
  if (error instanceof StoredProblem) return ApiProblem.conflict(`What is stored cannot be used: ${error.message}.`);
  const failure = classifyDatabaseFailure(error);
  if (failure === 'other') return ofStatus(statusOf(error));
  if (failure === 'conflict') {
    return unavailable(
      'Another call stood in the way in the database. Nothing of this request was stored; try again.',
      1,
    );
  }
  // The answer of a commit may be what was lost.
  const then = ['GET', 'HEAD'].includes(method)
    ? 'Try again.'
    : 'What this request asked for may be stored all the same: look before you send it again.';
  return unavailable(`${AWAY[failure]} ${then}`, 5);
}

const AWAY = {
  unavailable: 'The database does not answer.',
  timeout: 'The database does not answer in time.',
  full: 'The database has no disk space or no session left, or cannot read or write its files.',
} as const;

function unavailable(detail: string, retryAfterSeconds: number): ApiProblem {
  return new ApiProblem({
    status: 503,
    name: 'unavailable',
    title: 'Service unavailable',
    detail,
    headers: { 'Retry-After': String(retryAfterSeconds) },
  });
}

function ofStatus(status: number): ApiProblem {
  switch (status) {
    case 400:
      return ApiProblem.malformed(
        'The request cannot be read: the URL must be well-formed, the body as long as it says.',
      );
    case 401:
      return ApiProblem.unauthorized();
    case 404:
      return new ApiProblem({
        status,
        name: 'not-found',
        title: 'Not found',
        detail: 'There is no such resource: check method and path against /docs.',
      });
    case 413:
      return ApiProblem.tooLarge('The body must not be larger than 1 MB.');
    case 415:
      return ApiProblem.unsupportedMediaType(['application/json']);
    default:
      return status >= 400 && status < 500 ? plain(status, 'The request was refused.') : gatewayError();
  }
}

function gatewayError(): ApiProblem {
  return plain(500, 'The gateway failed on this request. The log has the cause under this correlationId.');
}

function plain(status: number, detail: string): ApiProblem {
  const title = STATUS_CODES[status] ?? 'Error';
  return new ApiProblem({ status, name: title.toLowerCase().replace(/[^a-z]+/g, '-'), title, detail });
}

/** Express' own errors carry a status; only those of the caller's making are believed. */
function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return 500;
  return typeof error.statusCode === 'number' && error.statusCode < 500 ? error.statusCode : 500;
}

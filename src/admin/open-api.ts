import { applyDecorators } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { ApiExtraModels, ApiProperty, ApiPropertyOptional, ApiResponse, DocumentBuilder } from '@nestjs/swagger';
import { getSchemaPath, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { NextFunction, Request, Response } from 'express';
import { Environment } from '../config/environment';
import { ApiProblem } from '../shared/problem';
import { AdminKeys } from './admin-key.guard';

export class FieldErrorDto {
  @ApiProperty({ description: 'Path of the field; empty for the input as a whole', example: 'currency' })
  field: string;

  @ApiProperty({ example: 'must be an ISO 4217 currency code such as EUR' })
  message: string;
}

class ProblemDto {
  @ApiProperty({ example: 'urn:problem-type:invalid-input' })
  type: string;

  @ApiProperty({ example: 'Invalid input' })
  title: string;

  @ApiProperty({ example: 400 })
  status: number;

  @ApiProperty({ example: 'One field is not as expected.' })
  detail: string;

  @ApiProperty({ description: 'Also in the log lines of the request', example: '5f0c0f0e-3b1e-4f53-9a2e-6f9c5a2d7b11' })
  correlationId: string;

  @ApiPropertyOptional({ type: [FieldErrorDto] })
  errors?: FieldErrorDto[];

  @ApiPropertyOptional({ description: 'Id of the connection, consent or account that has what must be unique' })
  conflictsWith?: string;

  @ApiPropertyOptional({ description: 'Of a live preview: what a read would come to now' })
  outcome?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'When the bank may be asked again' })
  nextReadAt?: string;

  @ApiPropertyOptional({ description: 'Hash of the content that the operation is known with' })
  existing?: string;

  @ApiPropertyOptional({ description: 'Hash of the content that came now' })
  received?: string;

  @ApiPropertyOptional({ description: 'The import of operations that the key belongs to, or that stopped' })
  importId?: string;

  @ApiPropertyOptional({ type: 'integer', description: 'First line that a stopped import has not stored' })
  nextLine?: number;

  @ApiPropertyOptional({ type: 'integer', description: 'Accounts that a stopped import has created' })
  created?: number;

  @ApiPropertyOptional({ type: 'integer', description: 'Known accounts in what a stopped import has stored' })
  updated?: number;

  @ApiPropertyOptional({ type: 'integer', description: 'Last line that a stopped import of accounts has stored' })
  line?: number;
}

const MEANINGS = {
  400: 'The input is not as expected; `errors` names each field',
  401: 'No valid admin key',
  404: 'No such thing',
  409: 'The state of things does not allow it',
  413: 'The body is too large',
  415: 'The body has another media type than this call reads',
  500: 'A fault of the gateway; the log has its cause',
  503: 'The database does not answer, has no room, or another call stood in the way; `detail` says what may be stored',
} as const;

type ProblemStatus = keyof typeof MEANINGS;

/** Documents the error answers of a call; 401, 415, 500 and 503 go without saying. */
export function ApiProblems(...statuses: ProblemStatus[]): MethodDecorator & ClassDecorator {
  const all = [...new Set<ProblemStatus>([...statuses, 401, 415, 500, 503])];
  return applyDecorators(
    ApiExtraModels(ProblemDto),
    ...all.map((status) =>
      ApiResponse({
        status,
        description: MEANINGS[status],
        content: { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemDto) } } },
      }),
    ),
  );
}

const PAGE = 'docs';
const DOCUMENT = 'docs-json';

/** Serves the OpenAPI page and document: to everybody where only this machine can call, else to holders of a key. */
export function serveOpenApi(app: NestExpressApplication, environment: Environment): void {
  const keys = app.get(AdminKeys);
  const open = isLoopback(environment.host);
  app.use([`/${PAGE}`, `/${DOCUMENT}`], (request: Request, response: Response, next: NextFunction) => {
    if (!open && keys.identify(request.get('authorization')) === undefined) {
      next(ApiProblem.unauthorized());
      return;
    }
    // Swagger UI sets styles from its script and shows images from data URLs; its scripts are files of its own.
    response.setHeader(
      'Content-Security-Policy',
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    next();
  });
  SwaggerModule.setup(PAGE, app, () => openApiDocument(app), { jsonDocumentUrl: DOCUMENT, raw: ['json'] });
}

export function openApiDocument(app: NestExpressApplication): OpenAPIObject {
  const settings = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Open-banking gateway')
    .setDescription(
      'Reads account balances from banks, delivers them to AMLYZE and explains every record. ' +
        'Times are RFC 3339 in UTC, decimals and ids are strings, lists run oldest first.',
    )
    .setVersion('1')
    .addSecurity('adminKey', { type: 'http', scheme: 'bearer', description: 'The admin key' })
    .addSecurityRequirements('adminKey')
    .build();
  return SwaggerModule.createDocument(app, settings);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

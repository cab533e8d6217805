import { Controller, Get, HttpCode, Logger, Param, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiExtraModels,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { answerImport, importBody, IMPORT_TYPES } from '../admin/imports/import-body';
import { Consumes, mediaType } from '../admin/media-type.guard';
import { ApiProblems } from '../admin/open-api';
import { ListQuery, page, parseCursor } from '../admin/pagination';
import { RowIdPipe } from '../admin/row-id';
import { Database } from '../shared/database';
import { ApiProblem } from '../shared/problem';
import { EXAMPLE, IMPORT_EXAMPLES } from './example';
import { findFindings, findImport, findImports } from './import-ledger';
import { toAnswer, toImportView, toListAnswer } from './import-views';
import { OperationImport } from './operation-import';
import { MAX_LIST, OperationIntake } from './operation-intake';
import {
  OperationAnswerDto,
  OperationImportDetailsDto,
  OperationImportDto,
  OperationImportListDto,
  OperationListAnswerDto,
} from './operations.dto';
import { idempotencyKey, readOperations } from './request-parts';

@ApiTags('operations')
@Controller('admin/operations')
export class OperationsController {
  private readonly logger = new Logger(OperationsController.name);

  constructor(
    private readonly database: Database,
    private readonly intake: OperationIntake,
    private readonly imports: OperationImport,
  ) {}

  // Reads its body itself, since floats would round the amounts in it.
  @Post()
  @Consumes('application/json')
  @HttpCode(202)
  @ApiOperation({
    summary: `Import one card payment, or a list of up to ${MAX_LIST}`,
    description:
      'The fields are those of AMLYZE, see docs/operations-import.md. A single operation is taken or refused as a whole; of a ' +
      'list the good ones are taken and every refused one is named.',
  })
  @ApiBody({
    schema: {
      oneOf: [{ type: 'object' }, { type: 'array', items: { type: 'object' }, minItems: 1, maxItems: MAX_LIST }],
      example: EXAMPLE,
    },
  })
  @ApiExtraModels(OperationAnswerDto, OperationListAnswerDto)
  @ApiAcceptedResponse({
    description: 'The first form for one operation, the second for a list',
    schema: { oneOf: [OperationAnswerDto, OperationListAnswerDto].map((dto) => ({ $ref: getSchemaPath(dto) })) },
  })
  @ApiProblems(400, 409, 413)
  async take(@Req() request: Request): Promise<OperationAnswerDto | OperationListAnswerDto> {
    this.intake.assertEnabled();
    const input = await readOperations(request);
    if (!Array.isArray(input)) {
      const { importId, chunk } = await this.intake.takeList([input], true);
      return toAnswer(importId, chunk);
    }
    if (input.length < 1 || input.length > MAX_LIST) {
      const message = `must be one operation or a list of 1 to ${MAX_LIST}; more come by POST /admin/operations/import`;
      throw ApiProblem.invalid([{ field: '', message }]);
    }
    const { importId, chunk } = await this.intake.takeList(input);
    return toListAnswer(importId, chunk);
  }

  @Post('import')
  @Consumes(IMPORT_TYPES.ndjson, IMPORT_TYPES.csv)
  @ApiOperation({
    summary: 'Import any number of card payments from a stream',
    description:
      'NDJSON with one operation a line, or CSV with a header row. Good lines are taken, every refused one is in ' +
      'GET /admin/operations/imports/:id. With an Idempotency-Key an interrupted import is gone on with: send the same body again. ' +
      'Another body needs another key.',
    requestBody: importBody(IMPORT_EXAMPLES),
  })
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: '1 to 255 visible ASCII characters' })
  @ApiAcceptedResponse({ type: OperationImportDto })
  @ApiProblems(400, 409)
  async import(@Req() request: Request, @Res() response: Response): Promise<void> {
    this.intake.assertEnabled();
    const key = idempotencyKey(request);
    const answered = await answerImport(request, response, async (body) => {
      const state = await this.imports.run(body, mediaType(request), key);
      response.status(202).json(toImportView(state));
    });
    if (!answered) this.logger.log('the client of an import of operations went away; complete chunks are stored');
  }

  @Get('imports')
  @ApiOperation({ summary: 'List imports of operations, oldest first' })
  @ApiOkResponse({ type: OperationImportListDto })
  @ApiProblems(400)
  async list(@Query() query: ListQuery): Promise<OperationImportListDto> {
    const rows = await findImports(this.database, parseCursor(query.cursor), query.limit);
    const { items, nextCursor } = page(rows, query.limit, (row) => row.id);
    return { items: items.map(toImportView), nextCursor };
  }

  @Get('imports/:id')
  @ApiOperation({ summary: 'Show an import: progress, counts, and every refused or odd line' })
  @ApiOkResponse({ type: OperationImportDetailsDto })
  @ApiProblems(400, 404)
  async find(
    @Param('id', new RowIdPipe('import')) id: string,
    @Query() query: ListQuery,
  ): Promise<OperationImportDetailsDto> {
    const state = await findImport(this.database, id);
    if (!state) throw ApiProblem.notFound('import', id);
    const rows = await findFindings(this.database, id, parseCursor(query.cursor), query.limit);
    const { items, nextCursor } = page(rows, query.limit, (row) => row.place);
    const shown = items.map(({ line, kind, operationExtId, findings }) => {
      return { line, kind, operationExtId: operationExtId ?? null, findings };
    });
    return { ...toImportView(state), items: shown, nextCursor };
  }
}

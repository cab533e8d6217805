import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Body, Controller, Delete, Get, HttpCode, Logger, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { answerImport, importBody, IMPORT_TYPES } from '../admin/imports/import-body';
import { Consumes, mediaType } from '../admin/media-type.guard';
import { ApiProblems } from '../admin/open-api';
import { RowIdPipe } from '../admin/row-id';
import { AccountDetailsDto, AccountDto, AccountListDto, AccountQuery } from './account.dto';
import { CreateAccountDto, UpdateAccountDto, UpdatedAccountDto } from './account.dto';
import { AccountsService } from './accounts.service';
import { AccountImport, type ImportResult } from './import/account-import';
import { ImportResultDto } from './import/import.dto';
import { Rejections } from './import/rejections';

const accountId = new RowIdPipe('account');

const EXAMPLES = {
  ndjson:
    '{"consentId":"3","providerAccountId":"DE89370400440532013000","currency":"EUR","accountExtId":"ACC-000017"}\n',
  csv: 'consentId,providerAccountId,currency,accountExtId\n3,DE89370400440532013000,EUR,ACC-000017\n',
};

@ApiTags('accounts')
@Controller('admin/accounts')
export class AccountsController {
  private readonly logger = new Logger(AccountsController.name);

  constructor(
    private readonly accounts: AccountsService,
    private readonly imports: AccountImport,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Register an account: whom to ask about, and what AMLYZE calls it' })
  @ApiCreatedResponse({ type: AccountDto })
  @ApiProblems(400, 404, 409, 413)
  create(@Body() dto: CreateAccountDto): Promise<AccountDto> {
    return this.accounts.create(dto);
  }

  @Post('import')
  @HttpCode(200)
  @Consumes(IMPORT_TYPES.ndjson, IMPORT_TYPES.csv)
  @ApiOperation({
    summary: 'Register any number of accounts from a stream',
    description:
      'NDJSON with one account a line, or CSV with a header row. Good lines are stored, every bad one is reported. A line of ' +
      'a known account (same connection, bank code, providerAccountId and currency) may move it to another consent; ' +
      'another accountExtId or businessUnit is a rejected line. Lines of up to 64 KiB.',
    requestBody: importBody(EXAMPLES),
  })
  @ApiOkResponse({ type: ImportResultDto })
  @ApiProblems(400)
  async import(@Req() request: Request, @Res() response: Response): Promise<void> {
    const rejections = new Rejections();
    try {
      const answered = await answerImport(request, response, async (body) => {
        const result = await this.imports.run(body, mediaType(request), rejections);
        response.type('application/json');
        await pipeline(Readable.from(toJson(result)), response);
      });
      if (!answered) this.logger.log('the client of an import went away; complete chunks are stored');
    } finally {
      await rejections.dispose();
    }
  }

  @Get()
  @ApiOperation({ summary: 'List accounts, oldest first' })
  @ApiOkResponse({ type: AccountListDto })
  @ApiProblems(400)
  list(@Query() query: AccountQuery): Promise<AccountListDto> {
    return this.accounts.list(query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Show an account with its last reading, last accepted record and next slot' })
  @ApiOkResponse({ type: AccountDetailsDto })
  @ApiProblems(400, 404)
  find(@Param('id', accountId) id: string): Promise<AccountDetailsDto> {
    return this.accounts.find(id);
  }

  @Patch(':id')
  @ApiOperation({
    summary: 'Move to another consent, re-pin, rename in AMLYZE, or open again',
    description:
      'Records that wait under the former name and were never sent are held (ACCOUNT_CHANGED); the answer counts them, and those ' +
      'that AMLYZE may have. The next read makes a record for the new name.',
  })
  @ApiOkResponse({ type: UpdatedAccountDto })
  @ApiProblems(400, 404, 409, 413)
  update(@Param('id', accountId) id: string, @Body() dto: UpdateAccountDto): Promise<UpdatedAccountDto> {
    return this.accounts.update(id, dto);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Close an account: reads stop at once, history and pending records stay' })
  @ApiNoContentResponse()
  @ApiProblems(400, 404, 413)
  close(@Param('id', accountId) id: string): Promise<void> {
    return this.accounts.close(id);
  }
}

async function* toJson({ created, updated, rejected }: ImportResult): AsyncGenerator<string | Buffer> {
  yield `{"created":${created},"updated":${updated},"rejected":[`;
  yield* rejected.read();
  yield ']}';
}

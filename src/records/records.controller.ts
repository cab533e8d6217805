import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '../admin/open-api';
import { page, parseCursor } from '../admin/pagination';
import { CardVault } from '../operations/card-vault';
import { Database } from '../shared/database';
import { ApiProblem } from '../shared/problem';
import { explain } from './explanation';
import { RecordNumberPipe } from './record-number.pipe';
import { findRecords } from './record-views';
import {
  AdoptDto,
  ExplanationDto,
  RecordListDto,
  RecordNumberDto,
  RecordQuery,
  RequeueByFilterDto,
  RequeueDto,
  RequeueManyAnswerDto,
} from './records.dto';
import { RecordsService } from './records.service';

@ApiTags('records')
@Controller('admin/records')
export class RecordsController {
  constructor(
    private readonly database: Database,
    private readonly records: RecordsService,
    private readonly vault: CardVault,
  ) {}

  @Get()
  @ApiOperation({ summary: 'List records, oldest first' })
  @ApiOkResponse({ type: RecordListDto })
  @ApiProblems(400)
  async list(@Query() query: RecordQuery): Promise<RecordListDto> {
    const rows = await findRecords(this.database, query, parseCursor(query.cursor), query.limit);
    const { items, nextCursor } = page(rows, query.limit, (row) => row.id);
    return { items: items.map(({ id: _id, ...item }) => item), nextCursor };
  }

  @Get(':communicationNumber')
  @ApiOperation({ summary: 'Explain one record: bank payload, every step, frozen bytes, every attempt and verdict' })
  @ApiOkResponse({ type: ExplanationDto })
  @ApiProblems(400, 404)
  async explain(@Param('communicationNumber', RecordNumberPipe) number: string): Promise<ExplanationDto> {
    const explanation = await explain(this.database, this.vault, number);
    if (!explanation) throw ApiProblem.notFound('record', number);
    return explanation;
  }

  @Post('requeue')
  @HttpCode(200)
  @ApiOperation({ summary: 'Requeue held, rejected and exhausted records by filter' })
  @ApiOkResponse({ type: RequeueManyAnswerDto })
  @ApiProblems(400, 413)
  requeueByFilter(@Body() dto: RequeueByFilterDto): Promise<RequeueManyAnswerDto> {
    return this.records.requeueByFilter(dto);
  }

  @Post(':communicationNumber/requeue')
  @HttpCode(200)
  @ApiOperation({ summary: 'Requeue one record, with its own number or as the next revision' })
  @ApiOkResponse({ type: RecordNumberDto })
  @ApiProblems(400, 404, 409, 413)
  requeue(
    @Param('communicationNumber', RecordNumberPipe) number: string,
    @Body() dto: RequeueDto,
  ): Promise<RecordNumberDto> {
    return this.records.requeueOne(number, dto);
  }

  @Post(':communicationNumber/adopt')
  @HttpCode(200)
  @ApiOperation({ summary: 'Mark a held record that AMLYZE demonstrably has as accepted' })
  @ApiOkResponse({ type: RecordNumberDto })
  @ApiProblems(400, 404, 409, 413)
  adopt(
    @Param('communicationNumber', RecordNumberPipe) number: string,
    @Body() dto: AdoptDto,
  ): Promise<RecordNumberDto> {
    return this.records.adopt(number, dto);
  }
}

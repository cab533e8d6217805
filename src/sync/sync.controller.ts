import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '../admin/open-api';
import { ListQuery, page, parseCursor } from '../admin/pagination';
import { RowIdPipe } from '../admin/row-id';
import { Database } from '../shared/database';
import { ApiProblem } from '../shared/problem';
import { findReadings } from './reading-views';
import { ResyncService } from './resync.service';
import { findRun, findRuns } from './run-views';
import { ReadingListDto, ReadingQuery, ResyncAnswerDto, ResyncDto, RunDto, RunListDto } from './sync.dto';

@ApiTags('sync')
@Controller('admin')
export class SyncController {
  constructor(
    private readonly database: Database,
    private readonly resyncs: ResyncService,
  ) {}

  @Post('resync')
  @HttpCode(202)
  @ApiOperation({ summary: 'Read accounts now; the same scope while its run goes on returns that run' })
  @ApiAcceptedResponse({ type: ResyncAnswerDto })
  @ApiProblems(400, 404, 413)
  resync(@Body() dto: ResyncDto): Promise<ResyncAnswerDto> {
    return this.resyncs.resync(dto);
  }

  @Get('runs')
  @ApiOperation({ summary: 'List runs, oldest first' })
  @ApiOkResponse({ type: RunListDto })
  @ApiProblems(400)
  runs(@Query() query: ListQuery): Promise<RunListDto> {
    return findRuns(this.database, parseCursor(query.cursor), query.limit);
  }

  @Get('runs/:id')
  @ApiOperation({ summary: 'Show one run: its accounts by outcome, its records by state' })
  @ApiOkResponse({ type: RunDto })
  @ApiProblems(400, 404)
  async run(@Param('id', new RowIdPipe('run')) id: string): Promise<RunDto> {
    const run = await findRun(this.database, id);
    if (!run) throw ApiProblem.notFound('run', id);
    return run;
  }

  @Get('readings')
  @ApiOperation({ summary: 'List readings, oldest first' })
  @ApiOkResponse({ type: ReadingListDto })
  @ApiProblems(400)
  async readings(@Query() query: ReadingQuery): Promise<ReadingListDto> {
    const rows = await findReadings(this.database, query, parseCursor(query.cursor), query.limit);
    return page(rows, query.limit, (reading) => reading.id);
  }
}

import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '../admin/open-api';
import { ListQuery } from '../admin/pagination';
import { RowIdPipe } from '../admin/row-id';
import {
  ConnectionCheckDto,
  ConnectionDto,
  ConnectionListDto,
  CreateConnectionDto,
  UpdateConnectionDto,
} from './connection.dto';
import { ConnectionsService } from './connections.service';

const connectionId = new RowIdPipe('connection');

@ApiTags('connections')
@Controller('admin/connections')
export class ConnectionsController {
  constructor(private readonly connections: ConnectionsService) {}

  @Post()
  @ApiOperation({ summary: 'Register how to reach a bank API' })
  @ApiCreatedResponse({ type: ConnectionDto })
  @ApiProblems(400, 409, 413)
  create(@Body() dto: CreateConnectionDto): Promise<ConnectionDto> {
    return this.connections.create(dto);
  }

  @Get()
  @ApiOperation({ summary: 'List connections, oldest first' })
  @ApiOkResponse({ type: ConnectionListDto })
  @ApiProblems(400)
  list(@Query() query: ListQuery): Promise<ConnectionListDto> {
    return this.connections.list(query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Show one connection' })
  @ApiOkResponse({ type: ConnectionDto })
  @ApiProblems(400, 404)
  find(@Param('id', connectionId) id: string): Promise<ConnectionDto> {
    return this.connections.find(id);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Change settings or secrets, pause or activate' })
  @ApiOkResponse({ type: ConnectionDto })
  @ApiProblems(400, 404, 409, 413)
  update(@Param('id', connectionId) id: string, @Body() dto: UpdateConnectionDto): Promise<ConnectionDto> {
    return this.connections.update(id, dto);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a connection without consents' })
  @ApiNoContentResponse()
  @ApiProblems(400, 404, 409, 413)
  remove(@Param('id', connectionId) id: string): Promise<void> {
    return this.connections.remove(id);
  }

  @Post(':id/check')
  @HttpCode(200)
  @ApiOperation({ summary: 'Make one live, harmless call: no account data is read' })
  @ApiOkResponse({ type: ConnectionCheckDto })
  @ApiProblems(400, 404, 413)
  check(@Param('id', connectionId) id: string): Promise<ConnectionCheckDto> {
    return this.connections.check(id);
  }
}

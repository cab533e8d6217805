import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '../admin/open-api';
import { RowIdPipe } from '../admin/row-id';
import { ConsentDto, ConsentListDto, ConsentQuery, CreateConsentDto, UpdateConsentDto } from './consent.dto';
import { ConsentsService } from './consents.service';

const consentId = new RowIdPipe('consent');

@ApiTags('consents')
@Controller('admin/consents')
export class ConsentsController {
  constructor(private readonly consents: ConsentsService) {}

  @Post()
  @ApiOperation({ summary: 'Register a consent under which accounts may be read' })
  @ApiCreatedResponse({ type: ConsentDto })
  @ApiProblems(400, 404, 409, 413)
  create(@Body() dto: CreateConsentDto): Promise<ConsentDto> {
    return this.consents.create(dto);
  }

  @Get()
  @ApiOperation({ summary: 'List consents, oldest first' })
  @ApiOkResponse({ type: ConsentListDto })
  @ApiProblems(400)
  list(@Query() query: ConsentQuery): Promise<ConsentListDto> {
    return this.consents.list(query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Show a consent: status, days left, reads left in the window' })
  @ApiOkResponse({ type: ConsentDto })
  @ApiProblems(400, 404)
  find(@Param('id', consentId) id: string): Promise<ConsentDto> {
    return this.consents.find(id);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Renew a consent or its token, or change its terms' })
  @ApiOkResponse({ type: ConsentDto })
  @ApiProblems(400, 404, 409, 413)
  update(@Param('id', consentId) id: string, @Body() dto: UpdateConsentDto): Promise<ConsentDto> {
    return this.consents.update(id, dto);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a consent that was never used' })
  @ApiNoContentResponse()
  @ApiProblems(400, 404, 409, 413)
  remove(@Param('id', consentId) id: string): Promise<void> {
    return this.consents.remove(id);
  }
}

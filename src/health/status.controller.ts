import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AuditTrail } from '../admin/audit-trail';
import { ApiProblems } from '../admin/open-api';
import { DeliveryWorker } from '../delivery/delivery.worker';
import { resumeAll } from '../delivery/endpoint-state';
import { Database } from '../shared/database';
import { Status } from './status';
import { ResumedDto, StatusDto } from './status.dto';

@ApiTags('status')
@Controller('admin')
export class StatusController {
  constructor(
    private readonly database: Database,
    private readonly status: Status,
    private readonly audit: AuditTrail,
    private readonly delivery: DeliveryWorker,
  ) {}

  @Get('status')
  @ApiOperation({ summary: 'One page of the whole: slots, pauses, backlog, connections, accounts by outcome' })
  @ApiOkResponse({ type: StatusDto })
  @ApiProblems()
  page(): Promise<StatusDto> {
    return this.status.page();
  }

  @Post('amlyze/resume')
  @HttpCode(200)
  @ApiOperation({ summary: 'End every pause of delivery to AMLYZE now' })
  @ApiOkResponse({ type: ResumedDto })
  @ApiProblems(400, 413)
  async resume(): Promise<ResumedDto> {
    const resumed = await this.database.transaction(async (tx) => {
      const endpoints = await resumeAll(tx);
      await this.audit.append(tx, { action: 'amlyze.resume', target: 'amlyze', detail: { resumed: endpoints } });
      return endpoints;
    });
    this.delivery.wake();
    return { resumed };
  }
}

import { Controller, Get, Header, Res, ServiceUnavailableException } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import type { Response } from 'express';
import { Public } from '../admin/admin-key.guard';
import { ApiProblems } from '../admin/open-api';
import { LiveDto, ReadyDto } from './health.dto';
import { MetricsPage } from './metrics-page';
import { Readiness } from './readiness';

@ApiTags('health')
@Controller()
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly readiness: Readiness,
    private readonly metrics: MetricsPage,
  ) {}

  /** Looks at nothing but this process: a restart would not mend a database. */
  @Get('health/live')
  @Public()
  @ApiOperation({ summary: 'The process runs', security: [] })
  @ApiOkResponse({ type: LiveDto })
  live(): LiveDto {
    return { status: 'ok' };
  }

  @Get('health/ready')
  @Public()
  @ApiOperation({
    summary: 'Database, migrations, delivery, lag. 200 for ok and degraded, 503 for error',
    security: [],
  })
  @ApiOkResponse({ type: ReadyDto, description: '`ok`, or `degraded` when delivery is paused or behind' })
  @ApiResponse({ status: 503, type: ReadyDto, description: '`error`: the database does not answer or is not migrated' })
  async ready(@Res({ passthrough: true }) response: Response): Promise<HealthCheckResult | string | object> {
    try {
      return await this.health.check([
        () => this.readiness.databaseAnswers(),
        () => this.readiness.migrationsApplied(),
        () => this.readiness.deliveryOpen(),
        () => this.readiness.outboxDrains(),
        () => this.readiness.slotsServed(),
      ]);
    } catch (error) {
      if (!(error instanceof ServiceUnavailableException)) throw error;
      // Orchestrators and people read the same shape in both cases, so it is no problem document.
      response.status(503);
      return error.getResponse();
    }
  }

  @Get('metrics')
  @Public('metrics')
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiOperation({ summary: 'Prometheus metrics; behind the key unless METRICS_PUBLIC=true' })
  @ApiOkResponse({ content: { 'text/plain': { schema: { type: 'string' } } } })
  @ApiProblems()
  async page(): Promise<string> {
    return this.metrics.render();
  }
}

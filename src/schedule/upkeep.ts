import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CardRetention } from '../operations/card-retention';
import { OperationImport } from '../operations/operation-import';
import { Database } from '../shared/database';
import { within } from '../shared/within';
import { countSettledRuns } from '../sync/count-runs';
import { GRACE_MS } from './grace';

const EVERY_MS = 60_000;

/**
 * What has to be done now and then, whatever else goes on: card data goes when its time has come, imports that stand still are
 * marked, runs that are over are counted. Every replica may do it.
 */
@Injectable()
export class Upkeep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Upkeep.name);
  private underWay: Promise<void> | undefined;

  constructor(
    private readonly scheduler: SchedulerRegistry,
    private readonly retention: CardRetention,
    private readonly imports: OperationImport,
    private readonly database: Database,
  ) {}

  onApplicationBootstrap(): void {
    this.scheduler.addInterval(
      'upkeep',
      setInterval(() => this.tend(), EVERY_MS),
    );
    this.tend();
  }

  async beforeApplicationShutdown(): Promise<void> {
    // A start that was refused has begun nothing.
    if (!this.scheduler.doesExist('interval', 'upkeep')) return;
    this.scheduler.deleteInterval('upkeep');
    await within(GRACE_MS, this.underWay ?? Promise.resolve());
  }

  private tend(): void {
    this.underWay ??= Promise.all([this.retention.shredDue(), this.imports.tend(), countSettledRuns(this.database)])
      .then(() => undefined)
      .catch((error: unknown) => {
        this.logger.error({ msg: 'upkeep failed; the next minute tries again', error: String(error) });
      })
      .finally(() => (this.underWay = undefined));
  }
}

import { Injectable, Logger } from '@nestjs/common';
import { Environment } from '../config/environment';
import { takeBackExpired } from '../outbox/settle';
import { Database } from '../shared/database';
import { Doorbell } from '../shared/doorbell';
import { within } from '../shared/within';
import { DeliveryService } from './delivery.service';
import { openEndpoint } from './endpoint-state';
import type { Lane } from './lane';

/** How long a batch may gather before it goes out although it is not full. */
const GATHER_MS = 50;
const TAKE_BACK_LIMIT = 2_000;

/** Keeps `concurrency` batches of every lane under way while there is something due. */
@Injectable()
export class DeliveryWorker {
  private readonly logger = new Logger(DeliveryWorker.name);
  private readonly bell = new Doorbell();
  private lanes: Lane[] = [];
  private loops: Promise<void>[] = [];
  private stopping = false;
  private announced = 0;
  private gathering: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
    private readonly service: DeliveryService,
  ) {}

  async start(lanes: Lane[]): Promise<void> {
    this.lanes = lanes;
    for (const lane of lanes) await openEndpoint(this.database, lane.endpoint, lane.configurationHash());
    this.loops = lanes.flatMap((lane) => Array.from({ length: lane.concurrency }, () => this.work(lane)));
  }

  /** Records were put into the outbox: one worker a full batch wakes at once, the rest after a short gathering. */
  announce(records: number): void {
    this.announced += records;
    const size = this.environment.amlyzeBatchSize;
    for (; this.announced >= size; this.announced -= size) this.bell.ring();
    this.gathering ??= setTimeout(() => {
      this.gathering = undefined;
      if (this.announced > 0) this.bell.ring();
      this.announced = 0;
    }, GATHER_MS);
  }

  /** Something may be due: look now instead of at the next poll. */
  wake(): void {
    this.bell.ring(this.loops.length);
  }

  /** Takes back what dead workers held, and notices a changed configuration. Called at every poll. */
  async tend(): Promise<void> {
    for (const lane of this.lanes) await openEndpoint(this.database, lane.endpoint, lane.configurationHash());
    let taken = 0;
    for (let n = TAKE_BACK_LIMIT; n === TAKE_BACK_LIMIT; taken += n)
      n = await takeBackExpired(this.database, TAKE_BACK_LIMIT);
    if (taken > 0) {
      this.logger.warn({
        msg: 'records were taken back from a worker whose lease ran out; they are in doubt and are sent again',
        records: taken,
      });
      this.wake();
    }
  }

  /** Claims nothing more, waits for the calls under way, and gives back in doubt what is not answered by then. */
  async stop(graceMs: number): Promise<void> {
    this.stopping = true;
    clearTimeout(this.gathering);
    this.wake();
    await within(graceMs, Promise.all(this.loops));
    const given = await this.service.giveBackInFlight();
    if (given > 0)
      this.logger.warn({
        msg: 'calls to AMLYZE were still open at shutdown; their records are in doubt and are sent again',
        calls: given,
      });
  }

  private async work(lane: Lane): Promise<void> {
    while (!this.stopping) {
      try {
        if ((await this.service.deliverNext(lane)) === 'sent') continue;
      } catch (error) {
        this.logger.error({
          msg: 'a batch could not be claimed or settled; its lease brings it back',
          endpoint: lane.endpoint,
          error: String(error),
        });
      }
      if (!this.stopping) await this.bell.wait(this.environment.pollIntervalMs);
    }
  }
}

import { Injectable, Logger } from '@nestjs/common';
import { Environment } from '../config/environment';
import type { RecordChannel } from '../outbox/record-state';
import { takeBackExpired } from '../outbox/settle';
import { Database } from '../shared/database';
import { LastingTrouble } from '../shared/lasting-trouble';
import { Replica } from '../shared/replica';
import { within } from '../shared/within';
import { DeliveryService, UnsettledBatch } from './delivery.service';
import { openEndpoint } from './endpoint-state';
import type { Lane } from './lane';
import { Lookout, type Reason } from './lookout';
import { Settling } from './settling';
import { SingleSender } from './single-sender';

/** Attempts that are taken back by one statement. */
const TAKE_BACK_LIMIT = 50;

/** What one lane has running in this replica. */
interface RunningLane {
  lane: Lane;
  lookout: Lookout;
  /** Of claiming, which all loops do on one database. */
  trouble: LastingTrouble;
  loops: Promise<void>[];
  /** Instead of loops, where the lane has no batches. */
  sender: SingleSender | undefined;
}

/** Keeps `concurrency` calls of every lane under way while there is something due. */
@Injectable()
export class DeliveryWorker {
  private readonly logger = new Logger(DeliveryWorker.name);
  private readonly running: RunningLane[] = [];
  private stopping = false;

  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
    private readonly service: DeliveryService,
    private readonly settling: Settling,
    private readonly replica: Replica,
  ) {}

  async start(lanes: readonly Lane[]): Promise<void> {
    for (const lane of lanes) {
      await openEndpoint(this.database, lane.endpoint);
      const lookout = new Lookout({
        batchSize: lane.batchSize,
        pollIntervalMs: this.environment.pollIntervalMs,
      });
      const trouble = new LastingTrouble(this.logger, {
        fails: 'batches could not be claimed; trying again at every poll',
        works: 'batches can be claimed again',
      });
      const running: RunningLane = { lane, lookout, trouble, loops: [], sender: undefined };
      this.running.push(running);
      if (lane.oneByOne) {
        const { database, environment, settling, replica } = this;
        running.sender = new SingleSender({ lane, database, environment, settling, replica: replica.id });
        running.sender.start();
      } else {
        running.loops = Array.from({ length: lane.concurrency }, () => this.work(running));
      }
    }
  }

  /** Records were put into the outbox. */
  announce(records: number, channel: RecordChannel = 'balance'): void {
    const running = this.running.find(({ lane }) => lane.channel === channel);
    if (running?.sender) running.sender.wake();
    else running?.lookout.announce(records);
  }

  /** No more balances are on their way for now: those that were announced go out at once. */
  flush(): void {
    this.running.find(({ lane }) => lane.channel === 'balance')?.lookout.flush();
  }

  /** Something may be due: look now instead of at the next poll. */
  wake(): void {
    for (const { lookout, loops, sender } of this.running) {
      lookout.wake(loops.length);
      sender?.wake();
    }
  }

  /** Takes back what dead workers held; a server after a failover may not know the endpoints. Called at every poll. */
  async tend(): Promise<void> {
    for (const { lane } of this.running) await openEndpoint(this.database, lane.endpoint);
    let records = 0;
    for (let attempts = TAKE_BACK_LIMIT; attempts === TAKE_BACK_LIMIT;) {
      const taken = await takeBackExpired(this.database, TAKE_BACK_LIMIT);
      attempts = taken.attempts;
      records += taken.records;
    }
    if (records === 0) return;
    this.logger.warn({
      msg: 'records were taken back from a worker whose lease ran out; what may have been sent is in doubt and is sent again',
      records,
    });
    this.wake();
  }

  /** Claims nothing more, waits for the calls under way, and gives back in doubt what is not answered by then. */
  async stop(graceMs: number): Promise<void> {
    this.stopping = true;
    for (const { lookout, loops } of this.running) lookout.stop(loops.length);
    const senders = this.running.flatMap(({ sender }) => (sender ? [sender.stop(graceMs)] : []));
    // Together from the start: an error of one that nobody waits for yet would end the process before its time.
    await Promise.all([this.stopLoops(graceMs), ...senders]);
  }

  private async stopLoops(graceMs: number): Promise<void> {
    await within(graceMs, Promise.all(this.running.flatMap(({ loops }) => loops)));
    const given = await this.service.giveBackInFlight();
    if (given > 0) {
      this.logger.warn({
        msg: 'calls to AMLYZE were still open at shutdown; their records are in doubt and are sent again',
        calls: given,
      });
    }
  }

  private async work({ lane, lookout, trouble }: RunningLane): Promise<void> {
    const { endpoint } = lane;
    let reason: Reason = 'due';
    while (!this.stopping) {
      try {
        const turn = await this.service.deliverNext(lane);
        trouble.worked({ endpoint });
        if (lookout.goesOn(turn, reason)) continue;
      } catch (error) {
        if (error instanceof UnsettledBatch) {
          const { attemptId, cause } = error;
          this.logger.error({
            msg: 'a batch could not be settled; its lease brings it back',
            endpoint,
            attemptId,
            error: String(cause),
          });
        } else trouble.failed(error, { endpoint });
      }
      reason = await lookout.next();
    }
  }
}

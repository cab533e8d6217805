import { DeliveryService, type Turn } from '../../../src/delivery/delivery.service';
import { DeliveryWorker } from '../../../src/delivery/delivery.worker';
import type { Lane } from '../../../src/delivery/lane';
import { Settling } from '../../../src/delivery/settling';
import { Metrics } from '../../../src/shared/metrics';
import { Replica } from '../../../src/shared/replica';
import { DeliverySetting } from '../../support/delivery-setting';
import { eventually } from '../../support/eventually';

/** Tells when a worker has looked for something to send. */
class WatchedService extends DeliveryService {
  looks = 0;

  override async deliverNext(lane: Lane): Promise<Turn> {
    try {
      return await super.deliverNext(lane);
    } finally {
      this.looks += 1;
    }
  }
}

describe('delivery', () => {
  const delivery = new DeliverySetting();
  let worker: DeliveryWorker | undefined;

  afterEach(() => worker?.stop(1_000));

  test('does not let a poll cut a batch that is gathering, and polls again afterwards', async () => {
    const { database, environment, lane } = await delivery.startBench({
      POLL_INTERVAL_MS: '50',
      AMLYZE_CONCURRENCY: '1',
    });
    const settling = new Settling(database, new Metrics(), environment);
    const replica = new Replica();
    const service = new WatchedService(database, environment, settling, replica);
    worker = new DeliveryWorker(database, environment, service, settling, replica);
    await worker.start([lane]);
    const nextLook = async (): Promise<void> => {
      const looks = service.looks;
      await eventually('it polls', async () => service.looks > looks);
    };

    await nextLook();
    const announcedMs = performance.now();
    worker.announce(2);
    await delivery.enqueue(2);
    await nextLook();
    // The poll would have come after 50 ms.
    expect(performance.now() - announcedMs).toBeGreaterThan(200);
    expect(await delivery.rows.states()).toEqual({ accepted: 2 });
    await nextLook();
    await nextLook();
  });
});

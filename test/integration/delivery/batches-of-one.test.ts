import { DeliveryService } from '../../../src/delivery/delivery.service';
import { DeliveryWorker } from '../../../src/delivery/delivery.worker';
import { Settling } from '../../../src/delivery/settling';
import { Metrics } from '../../../src/shared/metrics';
import { Replica } from '../../../src/shared/replica';
import { DeliverySetting } from '../../support/delivery-setting';
import { eventually } from '../../support/eventually';

describe('balances with AMLYZE_BATCH_SIZE=1', () => {
  const delivery = new DeliverySetting();
  let worker: DeliveryWorker | undefined;

  afterEach(() => worker?.stop(1_000));

  async function startWorker(): Promise<void> {
    const { database, environment, lane } = await delivery.startBench({
      AMLYZE_BATCH_SIZE: '1',
      POLL_INTERVAL_MS: '50',
    });
    const settling = new Settling(database, new Metrics(), environment);
    const replica = new Replica();
    const service = new DeliveryService(database, environment, settling, replica);
    worker = new DeliveryWorker(database, environment, service, settling, replica);
    await worker.start([lane]);
  }

  const accepted = (count: number): Promise<unknown> =>
    eventually('all are accepted', async () => (await delivery.rows.states())['accepted'] === count);

  test('keep their order: a newer one waits while an older one of its account is retried', async () => {
    const accounts = await delivery.rows.accounts(1);
    await delivery.amlyze.putAccounts([{ accountExtId: 'A1' }]);
    const [older = ''] = await delivery.rows.enqueue(accounts, { balanceAt: '2026-03-05T06:00:00.000Z' });
    const [newer = ''] = await delivery.rows.enqueue(accounts, { balanceAt: '2026-03-05T12:00:00.000Z' });
    await delivery.fault({ match: { communicationNumber: older, times: 1 }, do: { kind: 'failed-processing' } });
    await startWorker();
    await eventually('the older one was answered', async () => (await delivery.verdicts()).length > 0);
    await delivery.rows.makeDue();
    await accepted(2);
    expect((await delivery.amlyze.ledger()).map((entry) => entry.communicationNumber)).toEqual([older, newer]);
  });

  test('go to the batch endpoint, one in a call, and only an answer about their own account counts', async () => {
    await delivery.enqueue(3);
    await delivery.fault({ match: { account: 'A2', times: 1 }, do: { kind: 'mislabelled-results' } });
    await startWorker();
    await eventually('one is asked for again', async () => (await delivery.rows.all()).some((row) => row.attempts > 0));
    await delivery.rows.makeDue();
    await accepted(3);
    expect(await delivery.sends()).toEqual([1, 1, 1, 1]);
  });

  test('that a batch cannot settle are told by the single endpoint, beside others that get through', async () => {
    await delivery.enqueue(3);
    await delivery.fault({ match: { account: 'A2' }, do: { kind: 'reject-batch-containing' } });
    await startWorker();
    await eventually('all are settled', async () => {
      const { accepted = 0, rejected = 0 } = await delivery.rows.states();
      return accepted === 2 && rejected === 1;
    });
    expect((await delivery.sends()).sort()).toEqual([1, 1, 1, 'single']);
  });
});

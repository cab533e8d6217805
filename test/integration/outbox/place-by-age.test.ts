import { openEndpoint } from '../../../src/delivery/endpoint-state';
import { claimDue } from '../../../src/outbox/claim';
import type { Settlement } from '../../../src/outbox/settle';
import { settle } from '../../support/settle';
import { takeTurn } from '../../../src/outbox/turn';
import { OutboxSetting, REQUEST } from '../../support/outbox-setting';
import { giveState } from '../../support/give-state';

const END = { outcome: 'failed' } as const;

describe('a record that comes back without an answer', () => {
  const outbox = new OutboxSetting();
  const { db } = outbox;

  const back = (record: Settlement['record'], delayMs?: number): Settlement => ({
    record,
    state: 'pending',
    inDoubt: true,
    verdict: 'in-doubt',
    delayMs,
  });

  async function dueAfterCreation(): Promise<number[]> {
    const rows = await db().query<{ seconds: number }>(
      `select extract(epoch from next_attempt_at - created_at)::float8 as seconds from record_state order by record_id`,
    );
    return rows.map(({ seconds }) => Math.round(seconds));
  }

  /** As if all had been made an hour ago. */
  const age = (): Promise<unknown> =>
    db().query(
      `update record_state set created_at = now() - interval '1 hour', next_attempt_at = now() - interval '1 hour'`,
    );

  test('of a batch takes its place by age again, or waits where it has to', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(2));
    await age();
    const batch = await claimDue(db(), { ...REQUEST, limit: 2 });
    const [one, two] = batch?.records ?? [];
    if (!batch || !one || !two) throw new Error('nothing was claimed');
    await settle(db(), batch.attemptId, [back(one), back(two, 60_000)], END);
    expect(await dueAfterCreation()).toEqual([0, 3_660]);
  });

  test('of a channel without batches does the same', async () => {
    await openEndpoint(db(), 'operations');
    await db().query(
      `insert into amlyze_record (communication_number, kind, channel, operation_ext_id, payload)
select 'n-' || n, 'operation', 'operation-single', 'op-' || n, '{}' from generate_series(1, 2) n`,
    );
    await giveState(db());
    await age();
    const whom = { channel: 'operation-single', endpoint: 'operations', replica: 'test', leaseSeconds: 30 } as const;
    const claim = { ...whom, limit: 2, generation: '0', probe: false, exceptIds: [], dueFrom: undefined };
    const { promised } = await takeTurn(db(), [], claim);
    const calls = promised.map(({ record, attemptId }) => ({
      attemptId,
      settlements: [back(record, record.communicationNumber === 'n-2' ? 60_000 : undefined)],
      end: END,
    }));
    expect((await takeTurn(db(), calls, undefined)).late.size).toBe(0);
    expect(await dueAfterCreation()).toEqual([0, 3_660]);
  });
});

import { takeBackExpired } from '../../../src/outbox/settle';
import { OutboxSetting } from '../../support/outbox-setting';

/** The most that a smallint holds: a probe every 30 s fails so often within 12 days. */
const MOST = 32_767;

describe('a record whose calls have failed as a whole as often as the column can count', () => {
  const outbox = new OutboxSetting();
  const { db, mustClaim, settleAll } = outbox;

  const failedOften = (): Promise<unknown> => db().query('update record_state set whole_failures = $1', [MOST]);
  const failures = async (): Promise<number[]> => (await outbox.rows.all()).map((row) => row.whole_failures);
  const FAILED = { state: 'pending', inDoubt: true, verdict: 'in-doubt', wholeFailure: true } as const;

  test('goes back to its place after one more, and is settled when the outage is over', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(1));
    await failedOften();
    await settleAll(await mustClaim(), FAILED);
    expect(await outbox.rows.states()).toEqual({ pending: 1 });
    expect(await failures()).toEqual([MOST]);
    await settleAll(await mustClaim());
    expect(await outbox.rows.states()).toEqual({ accepted: 1 });
  });

  test('is taken back where its worker died', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(1));
    await failedOften();
    await mustClaim();
    await outbox.rows.expireLeases();
    expect(await takeBackExpired(db())).toEqual({ attempts: 1, records: 1 });
    expect(await failures()).toEqual([MOST]);
  });
});

import { giveState } from '../../support/give-state';
import { OutboxSetting } from '../../support/outbox-setting';

const REFUSED = { message: expect.stringContaining('frozen: update refused'), code: '23001' };

describe('the frozen request of a record', () => {
  const outbox = new OutboxSetting();
  const { db, mustClaim, settleAll } = outbox;
  const stored = () =>
    db().query('select communication_number, payload, payload_digest, sealed from record_with_state');
  const settle = async (): Promise<void> => {
    await settleAll(await mustClaim(), { state: 'held', reason: 'COLLISION', verdict: 'held' });
  };
  const enqueueSealed = async (): Promise<void> => {
    await db().query(
      `insert into amlyze_record (communication_number, kind, channel, operation_ext_id, payload, sealed, sealed_at, payload_digest)
values ('n-1', 'operation', 'operation-single', 'O-1', 'v1.card-1.a', true, now(), '\\x01')`,
    );
    await giveState(db());
  };
  const shred = async (): Promise<void> => {
    await db().query(`update amlyze_record set payload = null, shredded_at = now()`);
  };

  test.each([
    [`payload = payload || ' '`],
    [`payload = replace(payload, '12.50', '12.5')`],
    [`communication_number = communication_number || 'x'`],
    [`sealed = true, sealed_at = now(), payload_digest = '\\x01'`],
  ])('cannot be changed by %s, before its first send or after the last', async (change) => {
    await outbox.rows.enqueue(await outbox.rows.accounts(1));
    const before = await stored();
    await expect(db().query(`update amlyze_record set ${change}`)).rejects.toMatchObject(REFUSED);
    await settle();
    await expect(db().query(`update amlyze_record set ${change}`)).rejects.toMatchObject(REFUSED);
    expect(await stored()).toEqual(before);
  });

  test('may be named in an update that leaves it as it is', async () => {
    await outbox.rows.enqueue(await outbox.rows.accounts(1));
    const before = await stored();
    await db().query(
      `update amlyze_record set payload = payload || '', communication_number = communication_number || ''`,
    );
    expect(await stored()).toEqual(before);
  });

  test('with card data can be shredded, and come back under another key', async () => {
    await enqueueSealed();
    await shred();
    await db().query(
      `update amlyze_record set payload = 'v1.card-2.b', payload_digest = '\\x02', sealed_at = now(), shredded_at = null`,
    );
    expect(await stored()).toMatchObject([{ payload: 'v1.card-2.b', payload_digest: Buffer.from([2]) }]);
  });

  test.each([
    [`payload = 'v1.card-2.b'`],
    [`payload_digest = '\\x02'`],
    [`payload = null, shredded_at = now(), payload_digest = '\\x02'`],
    [`operation_ext_id = 'O-2'`],
    [`created_at = now()`],
    [`sealed = false, sealed_at = null, payload_digest = null`],
  ])('with card data cannot be changed by %s', async (change) => {
    await enqueueSealed();
    await expect(db().query(`update amlyze_record set ${change}`)).rejects.toMatchObject(REFUSED);
  });

  test.each([
    [`payload_digest = '\\x02'`],
    [`communication_number = 'n-2'`],
    [`payload = '{}', sealed = false, sealed_at = null, payload_digest = null, shredded_at = null`],
  ])('whose card data was shredded keeps what proves it, against %s', async (change) => {
    await enqueueSealed();
    await shred();
    await expect(db().query(`update amlyze_record set ${change}`)).rejects.toMatchObject(REFUSED);
  });
});

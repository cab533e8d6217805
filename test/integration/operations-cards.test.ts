import type { AdminApp } from '../support/admin-app';
import type { Json } from '../support/gateway';
import { CardRetention } from '../../src/operations/card-retention';
import { call, cardOperation, operation, post, settleAs, startOperationsApp, WITH_CARDS } from '../support/operations';
import { sharedDatabase } from '../support/postgres';

const [CARD, OTHER_CARD] = ['4111111111111111', '5555555555554444'];

describe('operations with card data', () => {
  let admin: AdminApp;
  const shared = sharedDatabase();

  beforeEach(async () => {
    admin = await startOperationsApp(WITH_CARDS, shared());
  });
  afterEach(() => admin.close());

  const explain = async (number: string): Promise<Json> => (await call(admin, 'GET', `/admin/records/${number}`)).body;
  const requeue = (number: string, body: object): Promise<{ status: number; body: Json }> =>
    call(admin, 'POST', `/admin/records/${number}/requeue`, body);
  const take = async (id: string, changes?: Record<string, unknown>): Promise<string> => {
    const answer = await post(admin, cardOperation(id, CARD, changes));
    expect(answer).toMatchObject({ status: 202, body: { result: 'taken' } });
    return answer.body.communicationNumber;
  };
  const shred = (): Promise<number> => admin.app.get(CardRetention).shredDue();
  /** Moves a record's times into the past. */
  const age = async (number: string, hours: number): Promise<void> => {
    await admin.testDatabase.database.query(
      `with sealed as (update amlyze_record set sealed_at = sealed_at - make_interval(hours => $2) where communication_number = $1 returning id)
update record_state set settled_at = settled_at - make_interval(hours => $2) from sealed where record_id = sealed.id`,
      [number, hours],
    );
  };
  const row = async (number: string): Promise<Json> => {
    const [found] = await admin.testDatabase.database.query<Record<string, Json>>(
      'select * from record_with_state where communication_number = $1',
      [number],
    );
    return found;
  };

  it('are refused unless CARD_DATA=encrypt, also beside the parties', async () => {
    const plain = await startOperationsApp();
    try {
      const answer = await post(plain, cardOperation('x', CARD));
      expect(answer.status).toBe(400);
      expect(JSON.stringify(answer.body)).toContain('CARD_DATA=encrypt');
      expect((await post(plain, operation('x', { cardNumber: CARD }))).status).toBe(400);
    } finally {
      await plain.close();
    }
  });

  it('are sealed in the database and masked in the explanation', async () => {
    const number = await take('sealed');
    const { payload, sealed, payload_digest: digest } = await row(number);
    expect([sealed, digest.length]).toEqual([true, 37]);
    expect(payload).toMatch(/^v1\.card-1\./);
    const explanation = await explain(number);
    const [debtor] = JSON.parse(explanation.frozenRequest).listOperationParty;
    expect(debtor).toMatchObject({ cardNumber: '411111******1111', cardValidTill: '***', cardHolderName: '***' });
    expect(explanation).toMatchObject({
      frozenRequestSha256: null,
      frozenRequestNote: expect.stringContaining('masked'),
    });
    expect(JSON.stringify(explanation)).not.toContain('TESTHOLDER');
  });

  it('are compared by a keyed hash: another card is other content', async () => {
    const number = await take('compared');
    expect((await post(admin, cardOperation('compared', CARD))).body).toMatchObject({ result: 'unchanged' });
    const other = await post(admin, cardOperation('compared', OTHER_CARD));
    expect(other.status).toBe(409);
    expect(other.body.existing).toMatch(/^hmac-sha256:[0-9a-f]{8}:[0-9a-f]{64}$/);
    await settleAs(admin, number, 'rejected');
    const revised = await post(admin, cardOperation('compared', OTHER_CARD));
    expect(revised).toMatchObject({ status: 202, body: { result: 'taken' } });
    const shown = await explain(revised.body.communicationNumber);
    expect(shown.frozenRequest).toContain('555555******4444');
  });

  it('get a new number without ever being stored in clear', async () => {
    const number = await take('renumbered');
    await settleAs(admin, number, 'rejected');
    const next = await requeue(number, { reason: 'x', newNumber: true });
    expect(next.status).toBe(200);
    expect((await row(next.body.communicationNumber)).payload).toMatch(/^v1\.card-1\./);
    const shown = await explain(next.body.communicationNumber);
    expect(JSON.parse(shown.frozenRequest)).toMatchObject({
      communicationNumber: next.body.communicationNumber,
      listOperationParty: [{ cardNumber: '411111******1111' }, {}],
    });
  });

  it.each([
    ['accepted', 23, false],
    ['accepted', 25, true],
    ['rejected', 25, true],
    ['held', 25, false],
    ['held', 29 * 24, false],
    ['held', 31 * 24, true],
    ['exhausted', 31 * 24, true],
  ] as const)('%s for %i hours: shredded %s', async (state, hours, gone) => {
    const number = await take('kept');
    await settleAs(admin, number, state);
    await age(number, hours);
    expect(await shred()).toBe(gone ? 1 : 0);
    const { payload, shredded_at: shreddedAt, state: now } = await row(number);
    expect([payload === null, shreddedAt !== null, now]).toEqual([gone, gone, state]);
  });

  it('that wait for 30 days are shredded and held, and go on when they are sent in again', async () => {
    const number = await take('waiting');
    await age(number, 31 * 24);
    expect(await shred()).toBe(1);
    expect(await explain(number)).toMatchObject({
      state: 'held',
      reason: 'SHREDDED',
      frozenRequest: null,
      frozenRequestNote: expect.stringContaining('shredded'),
    });
    const again = await post(admin, cardOperation('waiting', CARD));
    expect(again.body).toMatchObject({ result: 'restored', communicationNumber: number });
    expect(await explain(number)).toMatchObject({ state: 'pending', reason: null, revision: 1 });
    expect(await shred()).toBe(0);
  });

  it('on their way to AMLYZE are left to the next pass', async () => {
    const number = await take('sending');
    await age(number, 31 * 24);
    const { database } = admin.testDatabase;
    await database.query(`update record_state set state = 'sending', attempt_id = 1 where state = 'pending'`);
    expect(await shred()).toBe(0);
    await database.query(`update record_state set state = 'pending', attempt_id = null where state = 'sending'`);
    expect(await shred()).toBe(1);
    expect((await row(number)).payload).toBeNull();
  });

  it('cannot be requeued once shredded: the answer says that they have to be sent in again', async () => {
    const number = await take('gone');
    await settleAs(admin, number, 'rejected');
    await age(number, 25);
    await shred();
    for (const newNumber of [false, true]) {
      const answer = await requeue(number, { reason: 'x', newNumber });
      expect(answer).toMatchObject({ status: 409, body: { detail: expect.stringContaining('resubmitted') } });
    }
    expect((await post(admin, cardOperation('gone', CARD))).body).toMatchObject({ result: 'restored' });
    expect(await requeue(number, { reason: 'x' })).toMatchObject({ status: 200 });
    expect(await explain(number)).toMatchObject({ state: 'pending' });
  });

  it('in doubt take back the very same bytes and no others', async () => {
    const number = await take('doubt', { amount: 10 });
    await settleAs(admin, number, 'held', true);
    await age(number, 31 * 24);
    await shred();
    const respelled = JSON.stringify(cardOperation('doubt', CARD, { amount: 77 })).replace('77', '10.00');
    expect(await post(admin, respelled)).toMatchObject({ status: 409 });
    expect((await post(admin, cardOperation('doubt', CARD, { amount: 10 }))).body).toMatchObject({
      result: 'restored',
    });
  });

  it('leave a proof of their end in the audit trail', async () => {
    for (const id of ['a', 'b']) {
      const number = await take(id);
      await settleAs(admin, number, 'accepted');
      await age(number, 25);
    }
    expect(await shred()).toBe(2);
    const entries = await admin.testDatabase.database.query(
      `select actor, detail from audit_entry where action = 'card-data.shred'`,
    );
    expect(entries).toEqual([{ actor: 'gateway', detail: { records: 2, retentionSeconds: 86_400 } }]);
  });

  it('and those without do not share a fate: what holds no card data stays', async () => {
    const { communicationNumber } = (await post(admin, operation('plain'))).body;
    await settleAs(admin, communicationNumber, 'accepted');
    await age(communicationNumber, 10_000);
    expect(await shred()).toBe(0);
    expect((await row(communicationNumber)).payload).toContain('"plain"');
  });
});

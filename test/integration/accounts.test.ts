import { AccountsModule } from '../../src/accounts/accounts.module';
import { ConnectionsModule } from '../../src/connections/connections.module';
import { ConsentsModule } from '../../src/consents/consents.module';
import { type AdminApp, startAdminApp } from '../support/admin-app';
import { addConsent, addOneSingleView, type Registered, registerConsent, unique } from '../support/registry-data';
import { giveState, settledAs } from '../support/give-state';

describe('accounts', () => {
  let admin: AdminApp;
  let registered: Registered;

  beforeAll(async () => {
    admin = await startAdminApp([ConnectionsModule, ConsentsModule, AccountsModule]);
    registered = await registerConsent(admin, {
      balanceTypes: [
        { type: 'available', code: 'STATEMENT_BALANCE' },
        { type: 'Booked', code: 'STATEMENT_BALANCE' },
      ],
    });
  });
  afterAll(() => admin.close());

  const account = (more: object = {}): Record<string, unknown> => ({
    consentId: registered.consentId,
    providerAccountId: `iban-${unique()}`,
    currency: 'EUR',
    accountExtId: `ext-${unique()}`,
    ...more,
  });

  async function create(more: object = {}): Promise<{ id: string; [name: string]: unknown }> {
    const answer = await admin.api.post('/admin/accounts').send(account(more));
    expect([answer.status, answer.text]).toEqual([201, answer.text]);
    return answer.body as { id: string };
  }

  async function subjectOf(id: string): Promise<string | undefined> {
    const [row] = await admin.testDatabase.database.query<{ subject_id: string }>(
      `select subject_id from account where id = $1`,
      [id],
    );
    return row?.subject_id;
  }

  it('stores an account and shows it with the next slot in UTC', async () => {
    const created = await create({ businessUnit: 'LT' });
    expect(created).toMatchObject({
      ...registered,
      currency: 'EUR',
      businessUnit: 'LT',
      status: 'active',
      pinnedType: null,
      bankCode: null,
    });
    const found = await admin.api.get(`/admin/accounts/${created.id}`);
    expect(found.body).toMatchObject({ ...created, lastReading: null, lastAcceptedRecord: null });
    const { nextSlot } = found.body as { nextSlot: string };
    expect(new Date(nextSlot).getTime()).toBeGreaterThan(Date.now());
    expect(nextSlot).toMatch(/T(06|12|18):00:00\.000Z$/);
  });

  it('shares one access subject between the currencies of one number', async () => {
    const euro = await create({ providerAccountId: 'shared', currency: 'EUR' });
    const zloty = await create({ providerAccountId: 'shared', currency: 'PLN' });
    expect(await subjectOf(zloty.id)).toBe(await subjectOf(euro.id));
  });

  it('shows the last reading and the newest record that AMLYZE accepted', async () => {
    const { id } = await create();
    const { database } = admin.testDatabase;
    await database.query(
      `insert into balance_reading (account_id, outcome, reason) values ($1, 'BANK_ERROR', 'first'), ($1, 'BANK_UNAVAILABLE', 'timeout')`,
      [id],
    );
    const record = `insert into amlyze_record (communication_number, kind, account_id, account_ext_id, balance_type, balance_at, value, payload)
      values ($2, 'balance', $1, 'e', 'STATEMENT_BALANCE', $3, $4, '{}')`;
    await database.query(record, [id, 'n-1', '2026-01-01T00:00:00Z', '1.10']);
    await database.query(record, [id, 'n-2', '2026-01-02T00:00:00Z', '2.20']);
    await giveState(database, settledAs('accepted'));
    await database.query(record, [id, 'n-3', '2026-01-03T00:00:00Z', '3.30']);
    await giveState(database, settledAs('rejected'));
    const found = await admin.api.get(`/admin/accounts/${id}`);
    expect(found.body).toMatchObject({
      lastReading: { outcome: 'BANK_UNAVAILABLE', reason: 'timeout', communicationNumber: null },
      lastAcceptedRecord: { communicationNumber: 'n-2', value: '2.20', balanceAt: '2026-01-02T00:00:00.000Z' },
    });
  });

  it('answers 409 to a second mapping of one bank account, even to a closed one, and names the first', async () => {
    const first = await create({ providerAccountId: 'mapped-once' });
    const again = account({ providerAccountId: 'mapped-once' });
    expect((await admin.api.post('/admin/accounts').send(again)).body).toMatchObject({
      status: 409,
      conflictsWith: first.id,
    });
    await admin.api.delete(`/admin/accounts/${first.id}`);
    const closed = await admin.api.post('/admin/accounts').send(again);
    expect(closed.body).toMatchObject({
      status: 409,
      conflictsWith: first.id,
      detail: expect.stringContaining('closed') as string,
    });
  });

  it('answers 409 to a second account of one accountExtId in a business unit, not to one in another', async () => {
    const first = await create({ accountExtId: 'named' });
    const second = await admin.api.post('/admin/accounts').send(account({ accountExtId: 'named' }));
    expect(second.body).toMatchObject({ status: 409, conflictsWith: first.id });
    const elsewhere = await admin.api
      .post('/admin/accounts')
      .send(account({ accountExtId: 'named', businessUnit: 'EE' }));
    expect(elsewhere.status).toBe(201);
  });

  it.each([
    ['the currency XXX', { currency: 'XXX' }, 'currency'],
    ['a metal', { currency: 'XAU' }, 'currency'],
    ['a currency that does not exist', { currency: 'ZZZ' }, 'currency'],
    ['a currency in small letters', { currency: 'eur' }, 'currency'],
    ['an accountExtId of 256 characters', { accountExtId: 'x'.repeat(256) }, 'accountExtId'],
    ['an empty accountExtId', { accountExtId: '' }, 'accountExtId'],
    ['an accountExtId with a control character', { accountExtId: 'a\u0000b' }, 'accountExtId'],
    ['an accountExtId that is a number', { accountExtId: 17 }, 'accountExtId'],
    ['an empty business unit', { businessUnit: '' }, 'businessUnit'],
    ['a null business unit', { businessUnit: null }, 'businessUnit'],
    ['a consent id that is no id', { consentId: 'abc' }, 'consentId'],
    ['a providerAccountId that is a step of a path', { providerAccountId: '..' }, 'providerAccountId'],
    ['a missing providerAccountId', { providerAccountId: undefined }, 'providerAccountId'],
    ['a column of the table', { pinned_types: {} }, 'pinned_types'],
    ['a state of the account', { status: 'closed' }, 'status'],
  ])('refuses %s and names the field', async (_what, change, field) => {
    const answer = await admin.api.post('/admin/accounts').send(account(change));
    expect(answer.body).toMatchObject({ status: 400, errors: [{ field }] });
  });

  it.each(['SAR', 'BGN', 'XOF', 'XAF', 'KWD'])('takes the currency %s', async (currency) => {
    expect(await create({ currency })).toMatchObject({ currency });
  });

  it('takes an accountExtId of 255 characters', async () => {
    await create({ accountExtId: 'y'.repeat(255) });
  });

  it('answers 404 to a consent that does not exist and stores nothing', async () => {
    const answer = await admin.api
      .post('/admin/accounts')
      .send(account({ consentId: '999999', providerAccountId: 'orphan' }));
    expect(answer.body).toMatchObject({ status: 404, errors: [{ field: 'consentId' }] });
    const { database } = admin.testDatabase;
    expect(await database.query(`select 1 from access_subject where provider_account_id = 'orphan'`)).toEqual([]);
  });

  it('moves an account and its waiting reads to another consent of the connection, never of another connection', async () => {
    const { id } = await create();
    const { database } = admin.testDatabase;
    const [run] = await database.query<{ id: string }>(
      `insert into sync_run (trigger, scope) values ('resync', '{"all": true}') returning id`,
    );
    await database.query(
      `insert into waiting_account (run_id, account_id, connection_id, subject_id)
       select $1, id, connection_id, subject_id from account where id = $2`,
      [run?.id, id],
    );
    const target = await addConsent(admin, registered.connectionId);
    const moved = await admin.api.patch(`/admin/accounts/${id}`).send({ consentId: target });
    expect(moved.body).toMatchObject({ id, consentId: target });
    const waiting = await database.query(`select subject_id from waiting_account where account_id = $1`, [id]);
    expect(waiting).toEqual([{ subject_id: await subjectOf(id) }]);
    const subject = await database.query(`select consent_id from access_subject where id = $1`, [await subjectOf(id)]);
    expect(subject).toEqual([{ consent_id: target }]);

    const stranger = await registerConsent(admin);
    const refused = await admin.api.patch(`/admin/accounts/${id}`).send({ consentId: stranger.consentId });
    expect(refused.body).toMatchObject({ status: 400, errors: [{ field: 'consentId' }] });
    const osv = await addOneSingleView(admin);
    const atBank = await create({ consentId: await addConsent(admin, osv, { bankCode: 'BANK01' }) });
    const otherBank = await addConsent(admin, osv, { bankCode: 'BANK02' });
    const astray = await admin.api.patch(`/admin/accounts/${atBank.id}`).send({ consentId: otherBank });
    expect(astray.body).toMatchObject({ status: 400, errors: [{ field: 'consentId' }] });
  });

  it('pins to a type of the connection in its spelling, and takes the pin away by null', async () => {
    const { id } = await create();
    const path = `/admin/accounts/${id}`;
    const pinned = await admin.api.patch(path).send({ pinnedType: 'BOOKED', reason: 'the bank stopped the other' });
    expect(pinned.body).toMatchObject({ pinnedType: 'Booked', pinnedTypes: { STATEMENT_BALANCE: 'Booked' } });
    const unknown = await admin.api.patch(path).send({ pinnedType: 'Expected' });
    expect(unknown.body).toMatchObject({ status: 400, errors: [{ field: 'pinnedType' }] });
    expect((await admin.api.patch(path).send({ pinnedType: null })).body).toMatchObject({
      pinnedType: null,
      pinnedTypes: {},
    });
  });

  it('changes what AMLYZE calls the account only with a reason, which the audit trail keeps', async () => {
    const { id } = await create({ businessUnit: 'LT' });
    const path = `/admin/accounts/${id}`;
    for (const change of [{ accountExtId: `ext-${unique()}` }, { businessUnit: null }]) {
      const refused = await admin.api.patch(path).send(change);
      expect(refused.body).toMatchObject({ status: 400, errors: [{ field: 'reason' }] });
    }
    const accountExtId = `ext-${unique()}`;
    const changed = await admin.api.patch(path).send({ accountExtId, businessUnit: null, reason: 'wrong file' });
    expect(changed.body).toMatchObject({ accountExtId, businessUnit: null });
    const trail = await admin.testDatabase.database.query(
      `select action, actor, reason, detail, correlation_id from audit_entry where target = $1 order by id desc limit 1`,
      [`account:${id}`],
    );
    expect(trail).toEqual([
      {
        action: 'account.update',
        actor: 'admin',
        reason: 'wrong file',
        detail: { accountExtId, businessUnit: null, recordsHeld: 0, recordsUnderWay: 0 },
        correlation_id: changed.headers['x-correlation-id'],
      },
    ]);
    const taken = await create();
    const conflict = await admin.api.patch(path).send({ accountExtId: taken['accountExtId'], reason: 'mistake' });
    expect(conflict.body).toMatchObject({ status: 409, conflictsWith: taken.id });
  });

  it('closes without deleting, twice as well as once, and opens again', async () => {
    const { id } = await create();
    const path = `/admin/accounts/${id}`;
    expect((await admin.api.delete(path)).status).toBe(204);
    expect((await admin.api.delete(path)).status).toBe(204);
    const closed = await admin.api.get(path);
    expect(closed.body).toMatchObject({ status: 'closed', nextSlot: null });
    expect((closed.body as { closedAt: string | null }).closedAt).not.toBeNull();
    expect((await admin.api.patch(path).send({ status: 'closed' })).status).toBe(400);
    expect((await admin.api.patch(path).send({ status: 'active' })).body).toMatchObject({
      status: 'active',
      closedAt: null,
    });
    expect((await admin.api.delete('/admin/accounts/999999')).status).toBe(404);
  });

  it('filters the list by consent, connection, status and accountExtId', async () => {
    const other = await registerConsent(admin);
    const first = await create({ consentId: other.consentId, accountExtId: 'filtered' });
    const second = await create({ consentId: other.consentId });
    await admin.api.delete(`/admin/accounts/${second.id}`);
    const ids = async (query: object): Promise<string[]> => {
      const answer = await admin.api.get('/admin/accounts').query(query);
      return (answer.body as { items: { id: string }[] }).items.map(({ id }) => id);
    };
    expect(await ids({ consentId: other.consentId })).toEqual([first.id, second.id]);
    expect(await ids({ connectionId: other.connectionId, status: 'closed' })).toEqual([second.id]);
    expect(await ids({ accountExtId: 'filtered' })).toEqual([first.id]);
    expect((await admin.api.get('/admin/accounts?status=open')).status).toBe(400);
    expect((await admin.api.get('/admin/accounts?iban=1')).status).toBe(400);
  });
});

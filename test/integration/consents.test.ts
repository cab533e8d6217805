import { ConnectionsModule } from '../../src/connections/connections.module';
import { ConsentsModule } from '../../src/consents/consents.module';
import { SecretBox } from '../../src/shared/secret-box';
import { type AdminApp, startAdminApp } from '../support/admin-app';
import { addConsent, addOneSingleView, registerConsent, unique } from '../support/registry-data';

const TOKEN = 'canary-access-token';
const DAY_MS = 86_400_000;
const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();

describe('consents', () => {
  let admin: AdminApp;
  let connectionId: string;

  beforeAll(async () => {
    admin = await startAdminApp([ConnectionsModule, ConsentsModule]);
    ({ connectionId } = await registerConsent(admin));
  });
  afterAll(() => admin.close());

  const consent = (more: object = {}): object => ({
    connectionId,
    consentId: `c-${unique()}`,
    accessToken: TOKEN,
    ...more,
  });

  async function read(consentRow: string, account: string, hoursAgo: number, attended = false): Promise<void> {
    const { database } = admin.testDatabase;
    await database.query(
      `insert into access_subject (consent_id, provider_account_id) values ($1, $2) on conflict do nothing`,
      [consentRow, account],
    );
    await database.query(
      `insert into access_ledger (subject_id, consent_id, read_at, attended, purpose, request_id)
       select id, consent_id, now() - $3 * interval '1 hour', $4, 'schedule', gen_random_uuid()
       from access_subject where consent_id = $1 and provider_account_id = $2`,
      [consentRow, account, hoursAgo, attended],
    );
  }

  it('takes times with the widest offsets and the most digits, to the millisecond', async () => {
    const times = {
      validUntil: '9999-12-31T23:59:59.9999999Z',
      accessTokenExpiresAt: '2999-01-02T03:04:05.678901+18:00',
      scaPerformedAt: '0001-01-01T00:00:00-16:00',
    };
    const expected = {
      validUntil: '9999-12-31T23:59:59.999Z',
      accessTokenExpiresAt: '2999-01-01T09:04:05.678Z',
      scaPerformedAt: '0001-01-01T16:00:00.000Z',
    };
    const created = await admin.api.post('/admin/consents').send(consent(times));
    expect([created.status, created.body]).toEqual([201, expect.objectContaining(expected)]);
    const changed = await admin.api.patch(`/admin/consents/${await addConsent(admin, connectionId)}`).send(times);
    expect([changed.status, changed.body]).toEqual([200, expect.objectContaining(expected)]);
  });

  it('keeps tokens sealed for their row and never returns them', async () => {
    const answer = await admin.api
      .post('/admin/consents')
      .send(consent({ refreshToken: `${TOKEN}-refresh`, validUntil: inDays(10.5) }));
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      connectionId,
      status: 'valid',
      stop: null,
      daysLeft: 10,
      readsLeft: 4,
      frequencyPerDay: 4,
      hasAccessToken: true,
      hasRefreshToken: true,
      bankCode: null,
    });
    const { id } = answer.body as { id: string };
    const [row] = await admin.testDatabase.database.query<{ access_token: string; refresh_token: string }>(
      `select access_token, refresh_token from consent where id = $1`,
      [id],
    );
    const box = admin.app.get(SecretBox);
    expect(box.open(row?.access_token ?? '', `consent|access_token|${id}`)).toBe(TOKEN);
    expect(box.open(row?.refresh_token ?? '', `consent|refresh_token|${id}`)).toBe(`${TOKEN}-refresh`);
    const patched = await admin.api.patch(`/admin/consents/${id}`).send({ accessToken: `${TOKEN}-2` });
    const found = await admin.api.get(`/admin/consents/${id}`);
    const list = await admin.api.get('/admin/consents');
    const trail = await admin.testDatabase.database.query(`select a::text from audit_entry a`);
    for (const seen of [answer.text, patched.text, found.text, list.text, JSON.stringify(trail)]) {
      expect(seen).not.toContain(TOKEN);
    }
  });

  it('is expired from the start when its end has passed, and later without anybody writing it', async () => {
    const past = await admin.api.post('/admin/consents').send(consent({ validUntil: inDays(-1) }));
    expect(past.body).toMatchObject({ status: 'expired', daysLeft: 0 });
    const id = await addConsent(admin, connectionId, { validUntil: inDays(1) });
    await admin.testDatabase.database.query(`update consent set valid_until = now() - interval '1 s' where id = $1`, [
      id,
    ]);
    expect((await admin.api.get(`/admin/consents/${id}`)).body).toMatchObject({ status: 'expired', daysLeft: 0 });
    const renewed = await admin.api.patch(`/admin/consents/${id}`).send({ validUntil: inDays(90.5) });
    expect(renewed.body).toMatchObject({ status: 'valid', daysLeft: 90 });
    const ended = await admin.api
      .patch(`/admin/consents/${id}`)
      .send({ status: 'terminatedByTpp', reason: 'customer left' });
    expect(ended.body).toMatchObject({ status: 'terminatedByTpp' });
    const refused = await admin.api.patch(`/admin/consents/${id}`).send({ status: 'valid', validUntil: inDays(-1) });
    expect(refused.body).toMatchObject({ status: 400, errors: [{ field: 'validUntil' }] });
  });

  it('needs what the provider needs: an access token for myPOS, a bank code for OneSingleView', async () => {
    const osv = await addOneSingleView(admin);
    const withoutToken = await admin.api.post('/admin/consents').send({ connectionId, consentId: 'x' });
    expect(withoutToken.body).toMatchObject({ status: 400, errors: [{ field: 'accessToken' }] });
    const withoutBank = await admin.api.post('/admin/consents').send({ connectionId: osv, consentId: 'x' });
    expect(withoutBank.body).toMatchObject({ status: 400, errors: [{ field: 'bankCode' }] });
    const complete = await admin.api
      .post('/admin/consents')
      .send({ connectionId: osv, consentId: 'x', bankCode: 'BANK01' });
    expect(complete.body).toMatchObject({ bankCode: 'BANK01', hasAccessToken: false });
  });

  it('says of a field that was left out that it is required, and what belongs into it', async () => {
    const refused = await admin.api.post('/admin/consents').send({ consentId: 7 });
    expect(refused.body).toMatchObject({
      detail: '2 fields are not as expected.',
      errors: [
        { field: 'connectionId', message: 'is required, and must be the id of a connection, as a text of digits' },
        { field: 'consentId', message: 'must be a text' },
      ],
    });
  });

  it('takes no bank code where the provider has none: the same consent again would be a second budget', async () => {
    const given = consent({ bankCode: 'X' });
    const message = 'is not used by the provider of this connection: leave it out';
    const refused = await admin.api.post('/admin/consents').send(given);
    expect(refused.body).toMatchObject({ status: 400, errors: [{ field: 'bankCode', message }] });
    expect((await admin.api.post('/admin/consents').send({ ...given, bankCode: undefined })).status).toBe(201);
  });

  it('takes more than four reads a day only with the agreement that allows them', async () => {
    const refused = await admin.api.post('/admin/consents').send(consent({ frequencyPerDay: 5 }));
    expect(refused.body).toMatchObject({ status: 400, errors: [{ field: 'agreementReference' }] });
    const allowed = await admin.api
      .post('/admin/consents')
      .send(consent({ frequencyPerDay: 5, agreementReference: 'AG-1' }));
    expect(allowed.body).toMatchObject({ frequencyPerDay: 5, readsLeft: 5 });
    const { id } = allowed.body as { id: string };
    const without = await admin.api.patch(`/admin/consents/${id}`).send({ agreementReference: null });
    expect(without.body).toMatchObject({ status: 400, errors: [{ field: 'agreementReference' }] });
    const fewer = await admin.api.patch(`/admin/consents/${id}`).send({ agreementReference: null, frequencyPerDay: 2 });
    expect(fewer.body).toMatchObject({ frequencyPerDay: 2, agreementReference: null });
  });

  it('counts reads left by the account that was read most often in the last 24 hours', async () => {
    const id = await addConsent(admin, connectionId);
    await read(id, 'a', 1);
    await read(id, 'b', 1);
    await read(id, 'b', 23);
    await read(id, 'b', 25);
    expect((await admin.api.get(`/admin/consents/${id}`)).body).toMatchObject({ readsLeft: 2 });
    for (const hours of [2, 3, 4]) await read(id, 'b', hours);
    expect((await admin.api.get(`/admin/consents/${id}`)).body).toMatchObject({ readsLeft: 0 });
  });

  it('counts reads left by the consent as a whole where that is the scope of the budget', async () => {
    const registered = await registerConsent(admin, { accessScope: 'consent' });
    await read(registered.consentId, 'a', 1);
    await read(registered.consentId, 'b', 1);
    const path = `/admin/consents/${registered.consentId}`;
    expect((await admin.api.get(path)).body).toMatchObject({ readsLeft: 2 });
  });

  it.each([
    ['TOKEN_REJECTED', { accessToken: 'new' }, true],
    ['TOKEN_REJECTED', { validUntil: inDays(90) }, false],
    ['CONSENT_REQUIRED', { accessToken: 'new' }, false],
    ['CONSENT_REQUIRED', { validUntil: inDays(90) }, true],
    ['CONSENT_REQUIRED', { status: 'valid' }, true],
    ['CONSENT_REQUIRED', { consentId: 'renewed' }, true],
    ['CONSENT_REQUIRED', { frequencyPerDay: 3 }, false],
  ])('a stop by %s, after PATCH %j: ended is %s', async (outcome, change, ended) => {
    const id = await addConsent(admin, connectionId);
    await admin.testDatabase.database.query(
      `update consent set stopped_outcome = $2, stopped_reason = '401 from the bank', stopped_at = now() where id = $1`,
      [id, outcome],
    );
    const stopped = await admin.api.get(`/admin/consents/${id}`);
    expect(stopped.body).toMatchObject({ stop: { outcome, reason: '401 from the bank' } });
    const patched = await admin.api.patch(`/admin/consents/${id}`).send(change);
    expect(patched.status).toBe(200);
    expect((patched.body as { stop: unknown }).stop === null).toBe(ended);
  });

  it.each([
    ['a time without offset', { validUntil: '2027-01-31T12:00:00' }, 'validUntil'],
    ['a date that does not exist', { validUntil: '2027-02-30T12:00:00Z' }, 'validUntil'],
    ['a time past the year 9999 in UTC', { validUntil: '9999-12-31T23:59:59-05:00' }, 'validUntil'],
    ['a null end', { validUntil: null }, 'validUntil'],
    ['reads as text', { frequencyPerDay: '4' }, 'frequencyPerDay'],
    ['no reads at all', { frequencyPerDay: 0 }, 'frequencyPerDay'],
    ['half a read', { frequencyPerDay: 1.5 }, 'frequencyPerDay'],
    ['a token with a line break', { accessToken: 'a\r\nX-Injected: 1' }, 'accessToken'],
    ['a consent id with a blank', { consentId: 'a b' }, 'consentId'],
    ['a connection id that is a number', { connectionId: 1 }, 'connectionId'],
    ['a status at birth', { status: 'valid' }, 'status'],
    ['a column of the table', { stopped_outcome: null }, 'stopped_outcome'],
  ])('refuses %s and names the field', async (_what, change, field) => {
    const answer = await admin.api.post('/admin/consents').send(consent(change));
    expect(answer.body).toMatchObject({ status: 400, errors: [{ field }] });
  });

  it('refuses null where a PATCH cannot take a value away', async () => {
    const id = await addConsent(admin, connectionId);
    for (const field of ['consentId', 'accessToken', 'frequencyPerDay', 'status']) {
      const answer = await admin.api.patch(`/admin/consents/${id}`).send({ [field]: null });
      expect(answer.body).toMatchObject({ status: 400, errors: [{ field }] });
    }
  });

  it('answers 404 to an unknown connection and 409 to a second consent of one id', async () => {
    const unknown = await admin.api.post('/admin/consents').send(consent({ connectionId: '999999' }));
    expect(unknown.body).toMatchObject({ status: 404, errors: [{ field: 'connectionId' }] });
    const first = await admin.api.post('/admin/consents').send(consent({ consentId: 'same' }));
    const second = await admin.api.post('/admin/consents').send(consent({ consentId: 'same' }));
    const { id } = first.body as { id: string };
    expect(second.body).toMatchObject({ status: 409, conflictsWith: id });
    const other = await addConsent(admin, connectionId);
    const renamed = await admin.api.patch(`/admin/consents/${other}`).send({ consentId: 'same' });
    expect(renamed.body).toMatchObject({ status: 409, conflictsWith: id });
  });

  it('deletes a consent that was never used, but none with reads or accounts', async () => {
    const unused = await addConsent(admin, connectionId);
    const used = await addConsent(admin, connectionId);
    await read(used, 'a', 1);
    expect((await admin.api.delete(`/admin/consents/${unused}`)).status).toBe(204);
    expect((await admin.api.get(`/admin/consents/${unused}`)).status).toBe(404);
    expect((await admin.api.delete(`/admin/consents/${used}`)).body).toMatchObject({ status: 409 });
    expect((await admin.api.get(`/admin/consents/${used}`)).status).toBe(200);
  });

  it('lists the consents of one connection', async () => {
    const registered = await registerConsent(admin);
    const answer = await admin.api.get('/admin/consents').query({ connectionId: registered.connectionId });
    expect(answer.body).toMatchObject({ items: [{ id: registered.consentId }], nextCursor: null });
  });
});

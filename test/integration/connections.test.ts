import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConnectionDirectory } from '../../src/connections/connection-directory';
import { ConnectionsModule } from '../../src/connections/connections.module';
import { type AdminApp, startAdminApp } from '../support/admin-app';
import { eventually } from '../support/eventually';
import { addOneSingleView } from '../support/registry-data';

const tls = (name: string): string => readFileSync(join(__dirname, '../fixtures/tls', name), 'utf8');

const API_KEY = 'canary-api-key-value';

function mypos(name: string, more: object = {}): Record<string, unknown> {
  return { name, provider: 'mypos', baseUrl: 'https://bank.example', secrets: { apiKey: API_KEY }, ...more };
}

describe('connections', () => {
  let admin: AdminApp;

  beforeAll(async () => {
    admin = await startAdminApp([ConnectionsModule]);
  });
  afterAll(() => admin.close());

  it('stores a connection, returns the settings in force and the names of its secrets, never the secrets', async () => {
    const created = await admin.api.post('/admin/connections').send(mypos('first', { settings: { timeoutMs: 500 } }));
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({
      name: 'first',
      provider: 'mypos',
      baseUrl: 'https://bank.example',
      settings: { timeoutMs: 500, accessScope: 'account', accessWindow: 'rolling-24h' },
      secretNames: ['apiKey'],
      status: 'active',
    });
    const { id } = created.body as { id: string };
    const found = await admin.api.get(`/admin/connections/${id}`);
    expect(found.body).toEqual(created.body);
    const list = await admin.api.get('/admin/connections');
    const rows = await admin.testDatabase.database.query(`select c::text from connection c`);
    const trail = await admin.testDatabase.database.query(`select a::text from audit_entry a`);
    for (const seen of [created.text, found.text, list.text, JSON.stringify(rows), JSON.stringify(trail)]) {
      expect(seen).not.toContain(API_KEY);
    }
    const loaded = await admin.app.get(ConnectionDirectory).load(id);
    expect(loaded).toMatchObject({ id, secrets: { apiKey: API_KEY }, timeoutMs: 500, accessScope: 'account' });
  });

  it.each([
    ['an unknown provider', { provider: 'other' }, 'provider'],
    ['a base URL with credentials', { baseUrl: 'https://user:word@bank.example' }, 'baseUrl'],
    ['a base URL with a query', { baseUrl: 'https://bank.example/?a=1' }, 'baseUrl'],
    ['an unknown setting', { settings: { speed: 1 } }, 'settings.speed'],
    ['a setting of a wrong type', { settings: { timeoutMs: '500' } }, 'settings.timeoutMs'],
    ['a null setting', { settings: { timeZone: null } }, 'settings.timeZone'],
    ['a broken balance type', { settings: { balanceTypes: [{ type: 'a' }] } }, 'settings.balanceTypes[0].code'],
    ['settings that are a list', { settings: [] }, 'settings'],
    ['an unknown secret', { secrets: { apiKey: API_KEY, password: 'x' } }, 'secrets.password'],
    ['a missing secret', { secrets: {} }, 'secrets.apiKey'],
    ['a secret that is no text', { secrets: { apiKey: 7 } }, 'secrets.apiKey'],
    ['an API key of letters that no header can carry', { secrets: { apiKey: 'ключ' } }, 'secrets.apiKey'],
    ['an API key with a pasted dash', { secrets: { apiKey: 'key\u2013x' } }, 'secrets.apiKey'],
    ['an empty secret', { secrets: { apiKey: '' } }, 'secrets.apiKey'],
    [
      'a certificate that is none',
      { secrets: { apiKey: API_KEY, clientCertificate: 'x', clientKey: 'y' } },
      'secrets.clientKey',
    ],
    ['an authority that is none', { secrets: { apiKey: API_KEY, caCertificate: 'x' } }, 'secrets.caCertificate'],
    ['a name that is a number', { name: 5 }, 'name'],
    ['an empty name', { name: '' }, 'name'],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, 'name'],
    ['a column of the table as a field', { pausedBy: 'gateway' }, 'pausedBy'],
  ])('refuses %s, names the field and stores nothing', async (_what, change, field) => {
    const before = await admin.testDatabase.database.query(`select id from connection`);
    const answer = await admin.api.post('/admin/connections').send({ ...mypos('refused'), ...change });
    expect(answer.status).toBe(400);
    expect(answer.type).toBe('application/problem+json');
    const { errors } = answer.body as { errors: { field: string; message: string }[] };
    expect(errors.map((error) => error.field)).toContain(field);
    expect(errors.every(({ message }) => message.length > 5)).toBe(true);
    expect(answer.text).not.toContain(API_KEY);
    expect(await admin.testDatabase.database.query(`select id from connection`)).toHaveLength(before.length);
  });

  it('refuses a client id and a client code that no header can carry, and takes any text as a signature key', async () => {
    const secrets = { clientId: 'client', clientCode: 'code', signatureKey: 'ключ, с пробелами' };
    const osv = {
      name: 'osv',
      provider: 'onesingleview',
      baseUrl: 'https://bank.example',
      settings: { merchantId: 'm', creditLine: 'as-reported' },
    };
    const created = await admin.api.post('/admin/connections').send({ ...osv, secrets });
    expect(created.status).toBe(201);
    const { id } = created.body as { id: string };
    const bad = { clientId: 'a b', clientCode: '\u2013x' };
    const message = 'must consist of visible ASCII characters without blanks';
    const errors = Object.keys(bad).map((name) => ({ field: `secrets.${name}`, message }));
    const again = await admin.api.post('/admin/connections').send({ ...osv, secrets: { ...secrets, ...bad } });
    const patched = await admin.api.patch(`/admin/connections/${id}`).send({ secrets: bad });
    for (const refused of [again, patched]) expect(refused.body).toMatchObject({ status: 400, errors });
    expect(await admin.app.get(ConnectionDirectory).load(id)).toMatchObject({ secrets });
  });

  it('checks the balance types anew where the prefix alone is changed', async () => {
    const id = await addOneSingleView(admin);
    const entry = (type: string): object => ({ type, code: 'STATEMENT_BALANCE' });
    const patch = (settings: object): PromiseLike<{ status: number; body: unknown }> =>
      admin.api.patch(`/admin/connections/${id}`).send({ settings });
    expect((await patch({ typePrefix: 'X.', balanceTypes: [entry('KSAOB.Booked'), entry('booked')] })).status).toBe(
      200,
    );
    const message = 'must not name a type twice, in any case, with or without the typePrefix';
    expect((await patch({ typePrefix: 'ksaob.' })).body).toMatchObject({
      status: 400,
      errors: [{ field: 'settings.balanceTypes', message }],
    });
  });

  it('counts a field once, however much is wrong with it', async () => {
    const settings = { balanceTypes: 'available' };
    const refused = await admin.api.post('/admin/connections').send(mypos('counted', { settings }));
    const { detail, errors } = refused.body as { detail: string; errors: { field: string }[] };
    expect(new Set(errors.map(({ field }) => field))).toEqual(new Set(['settings.balanceTypes']));
    expect(errors.length).toBeGreaterThan(1);
    expect(detail).toBe('One field is not as expected.');
  });

  it('refuses a private address unless ALLOW_PRIVATE_ADDRESSES is set', async () => {
    const strict = await startAdminApp([ConnectionsModule], {
      ALLOW_PRIVATE_ADDRESSES: 'false',
      AMLYZE_BASE_URL: 'https://amlyze.example',
    });
    try {
      for (const baseUrl of [
        'http://bank.example',
        'https://127.0.0.1',
        'https://[::ffff:10.0.0.1]',
        'https://2130706433',
      ]) {
        const answer = await strict.api.post('/admin/connections').send(mypos('private', { baseUrl }));
        expect([baseUrl, answer.status]).toEqual([baseUrl, 400]);
      }
    } finally {
      await strict.close();
    }
  });

  it('takes a client certificate only together with its own key', async () => {
    const certificate = tls('test-client.pem');
    const key = tls('TEST-client.key.pem');
    const good = {
      apiKey: API_KEY,
      clientCertificate: certificate,
      clientKey: key,
      caCertificate: tls('test-authority.pem'),
    };
    const created = await admin.api.post('/admin/connections').send(mypos('with tls', { secrets: good }));
    expect(created.status).toBe(201);
    const { id } = created.body as { id: string };
    const loaded = await admin.app.get(ConnectionDirectory).load(id);
    expect(loaded.tls).toEqual({ certificate, key, ca: tls('test-authority.pem') });
    expect(loaded.secrets).toEqual({ apiKey: API_KEY });
    const cases: [Record<string, unknown>, string][] = [
      [{ clientKey: tls('TEST-server.key.pem') }, 'secrets.clientKey'],
      [{ clientKey: null }, 'secrets.clientKey'],
      [{ clientKey: tls('TEST-client-encrypted.key.pem') }, 'secrets.clientKey'],
      [
        { clientCertificate: tls('test-expired.pem'), clientKey: tls('TEST-expired.key.pem') },
        'secrets.clientCertificate',
      ],
    ];
    for (const [secrets, field] of cases) {
      const refused = await admin.api.patch(`/admin/connections/${id}`).send({ secrets });
      expect(refused.status).toBe(400);
      expect(refused.body).toMatchObject({ errors: [{ field }] });
    }
  });

  it('changes only what a PATCH names, and takes a setting or an optional secret away by null', async () => {
    const created = await admin.api.post('/admin/connections').send(
      mypos('merged', {
        settings: { timeoutMs: 500, timeZone: 'Europe/Sofia' },
        secrets: { apiKey: API_KEY, caCertificate: tls('test-authority.pem') },
      }),
    );
    const { id } = created.body as { id: string };
    const path = `/admin/connections/${id}`;
    const patched = await admin.api
      .patch(path)
      .send({ settings: { timeZone: null, requestsPerSecond: 5 }, secrets: { caCertificate: null } });
    expect(patched.status).toBe(200);
    expect(patched.body).toMatchObject({ settings: { timeoutMs: 500, requestsPerSecond: 5 }, secretNames: ['apiKey'] });
    expect(patched.body).not.toHaveProperty('settings.timeZone');
    expect((await admin.api.patch(path).send({ secrets: { apiKey: null } })).status).toBe(400);
    expect((await admin.api.patch(path).send({ provider: 'onesingleview' })).status).toBe(400);
  });

  it('takes away by null what an older build stored and this one does not know', async () => {
    const created = await admin.api.post('/admin/connections').send(mypos('of-an-older-build'));
    const { id } = created.body as { id: string };
    const { database } = admin.testDatabase;
    await database.query(
      `update connection set settings = settings || '{"signatureScheme":"sha256-suffix"}' where id = $1`,
      [id],
    );
    await expect(admin.app.get(ConnectionDirectory).reload(id)).rejects.toThrow('signatureScheme');
    const patched = await admin.api.patch(`/admin/connections/${id}`).send({ settings: { signatureScheme: null } });
    expect(patched.status).toBe(200);
    expect(patched.body).not.toHaveProperty('settings.signatureScheme');
    await expect(admin.app.get(ConnectionDirectory).reload(id)).resolves.toMatchObject({ id });
  });

  it('refuses to take away what never was there and no setting is called', async () => {
    const created = await admin.api.post('/admin/connections').send(mypos('misspelt'));
    const { id } = created.body as { id: string };
    const patch = (settings: object): PromiseLike<{ status: number; body: unknown }> =>
      admin.api.patch(`/admin/connections/${id}`).send({ settings });
    expect((await patch({ timeZone: null, requestsPerSecond: null })).status).toBe(200);
    for (const name of ['timezone', 'a\u0000']) {
      const field = `settings.${name.replace('\u0000', '?')}`;
      expect((await patch({ [name]: null })).body).toMatchObject({ status: 400, errors: [{ field }] });
    }
  });

  it('says at its check what this build cannot use of what is stored', async () => {
    const created = await admin.api.post('/admin/connections').send(mypos('of-another-build'));
    const { id } = created.body as { id: string };
    await admin.testDatabase.database.query(`update connection set settings = '{"timeoutMs":1}' where id = $1`, [id]);
    const checked = await admin.api.post(`/admin/connections/${id}/check`);
    expect([checked.status, checked.body]).toEqual([
      200,
      { ok: false, latencyMs: 0, detail: expect.stringContaining('settings.timeoutMs must be') as string },
    ]);
  });

  it('takes the secrets again whose key was lost, each by its name, and keeps the others', async () => {
    const id = await addOneSingleView(admin);
    const { database } = admin.testDatabase;
    await database.query(
      `update connection set secrets = secrets || '{"clientCode":"v1.gone.AAAA","signatureKey":"v1.gone.AAAA"}' where id = $1`,
      [id],
    );
    const patch = (secrets: object): PromiseLike<{ status: number; body: unknown }> =>
      admin.api.patch(`/admin/connections/${id}`).send({ secrets });
    expect((await patch({ clientCode: 'again' })).body).toMatchObject({
      status: 400,
      errors: [{ field: 'secrets.signatureKey', message: expect.stringContaining('send it again') as string }],
    });
    expect((await patch({ clientCode: 'again', signatureKey: 'anew' })).status).toBe(200);
    expect(await admin.app.get(ConnectionDirectory).load(id)).toMatchObject({
      secrets: { clientId: 'i', clientCode: 'again', signatureKey: 'anew' },
    });
  });

  it('shows a change to the directory, and to the one of another replica within two seconds', async () => {
    const created = await admin.api.post('/admin/connections').send(mypos('seen'));
    const { id } = created.body as { id: string };
    const directory = admin.app.get(ConnectionDirectory);
    await directory.load(id);
    await admin.api
      .patch(`/admin/connections/${id}`)
      .send({ baseUrl: 'https://moved.example', secrets: { apiKey: 'changed' } });
    expect(await directory.load(id)).toMatchObject({
      baseUrl: 'https://moved.example',
      secrets: { apiKey: 'changed' },
    });
    await admin.testDatabase.database.query(
      `update connection set base_url = 'https://elsewhere.example', updated_at = clock_timestamp() where id = $1`,
      [id],
    );
    const seen = async (): Promise<boolean> => (await directory.load(id)).baseUrl === 'https://elsewhere.example';
    await eventually('the other address is seen', seen, 2_000);
  });

  it('forgets the token that was issued to other credentials, and fences off its renewal', async () => {
    const created = await admin.api.post('/admin/connections').send(mypos('tokens'));
    const { id } = created.body as { id: string };
    const { database } = admin.testDatabase;
    await database.query(
      `insert into connection_token (connection_id, access_token, expires_at, epoch) values ($1, 'sealed', now() + interval '1 hour', 4)`,
      [id],
    );
    const token = (): Promise<unknown[]> =>
      database.query(`select access_token, epoch from connection_token where connection_id = $1`, [id]);
    await admin.api.patch(`/admin/connections/${id}`).send({ name: 'tokens renamed' });
    expect(await token()).toEqual([{ access_token: 'sealed', epoch: '4' }]);
    await admin.api.patch(`/admin/connections/${id}`).send({ secrets: { apiKey: 'changed' } });
    expect(await token()).toEqual([{ access_token: null, epoch: '5' }]);
  });

  it('pauses only with a reason, and ends pauses and waiting times with active', async () => {
    const created = await admin.api.post('/admin/connections').send(mypos('paused'));
    const { id } = created.body as { id: string };
    const path = `/admin/connections/${id}`;
    expect((await admin.api.patch(path).send({ status: 'paused' })).body).toMatchObject({
      errors: [{ field: 'reason' }],
    });
    const paused = await admin.api.patch(path).send({ status: 'paused', reason: 'works at the bank' });
    expect(paused.body).toMatchObject({ status: 'paused', pauseReason: 'works at the bank', pausedBy: 'operator' });
    await admin.testDatabase.database.query(
      `update connection set paused_by = 'gateway', not_before = now() + interval '1 hour', not_before_reason = '429' where id = $1`,
      [id],
    );
    const active = await admin.api.patch(path).send({ status: 'active' });
    expect(active.body).toMatchObject({
      status: 'active',
      pauseReason: null,
      pausedBy: null,
      pausedAt: null,
      notBefore: null,
      notBeforeReason: null,
    });
    const trail = await admin.testDatabase.database.query(
      `select actor, action, reason, detail from audit_entry where target = $1 order by id`,
      [`connection:${id}`],
    );
    expect(trail).toEqual([
      expect.objectContaining({ actor: 'admin', action: 'connection.create', reason: null }),
      { actor: 'admin', action: 'connection.update', reason: 'works at the bank', detail: { status: 'paused' } },
      { actor: 'admin', action: 'connection.update', reason: null, detail: { status: 'active' } },
    ]);
  });

  it('answers 409 to a second connection of one name and names the first', async () => {
    const first = await admin.api.post('/admin/connections').send(mypos('twice'));
    const { id } = first.body as { id: string };
    const second = await admin.api.post('/admin/connections').send(mypos('twice'));
    expect(second.status).toBe(409);
    expect(second.body).toMatchObject({ conflictsWith: id });
  });

  it('deletes a connection, but not one that has consents', async () => {
    const created = await admin.api.post('/admin/connections').send(mypos('deleted'));
    const { id } = created.body as { id: string };
    const { database } = admin.testDatabase;
    await database.query(`insert into consent (connection_id, consent_id) values ($1, 'c')`, [id]);
    expect((await admin.api.delete(`/admin/connections/${id}`)).status).toBe(409);
    await database.query(`delete from consent where connection_id = $1`, [id]);
    expect((await admin.api.delete(`/admin/connections/${id}`)).status).toBe(204);
    expect((await admin.api.get(`/admin/connections/${id}`)).status).toBe(404);
    expect((await admin.api.delete(`/admin/connections/${id}`)).status).toBe(404);
  });

  it.each(['0', '-1', '1.0', 'abc', '9223372036854775808', '99999999999999999999', "1'--", '%27'])(
    'answers 404 to the impossible id %s',
    async (id) => {
      const answer = await admin.api.get(`/admin/connections/${id}`);
      expect(answer.status).toBe(404);
      expect(answer.type).toBe('application/problem+json');
    },
  );

  it('lists oldest first in pages that lose and repeat nothing, and refuses unknown or strange parameters', async () => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: Record<string, string> = cursor === null ? { limit: '2' } : { limit: '2', cursor };
      const answer = await admin.api.get('/admin/connections').query(query);
      const body = answer.body as { items: { id: string }[]; nextCursor: string | null };
      expect(body.items.length).toBeLessThanOrEqual(2);
      seen.push(...body.items.map(({ id }) => id));
      cursor = body.nextCursor;
    } while (cursor !== null);
    const rows = await admin.testDatabase.database.query<{ id: string }>(`select id from connection order by id`);
    expect(seen).toEqual(rows.map(({ id }) => id));
    for (const query of [
      'limit=0',
      'limit=501',
      'limit=1e2',
      'limit=',
      'limit=1&limit=2',
      'cursor=!',
      'cursor=YWJj',
      'offset=1',
    ]) {
      expect([query, (await admin.api.get(`/admin/connections?${query}`)).status]).toEqual([query, 400]);
    }
  });

  it('answers a check whose secrets cannot be opened instead of failing', async () => {
    const created = await admin.api.post('/admin/connections').send(mypos('sealed elsewhere'));
    const { id } = created.body as { id: string };
    await admin.testDatabase.database.query(
      `update connection set secrets = '{"apiKey": "v1.k9.AAAA"}' where id = $1`,
      [id],
    );
    const answer = await admin.api.post(`/admin/connections/${id}/check`);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ ok: false, detail: expect.stringContaining('ENCRYPTION_KEYS') as string });
  });

  it('answers a check of a bank that is not there with what was seen', async () => {
    const created = await admin.api.post('/admin/connections').send(mypos('nobody', { baseUrl: 'http://127.0.0.1:1' }));
    const { id } = created.body as { id: string };
    const answer = await admin.api.post(`/admin/connections/${id}/check`);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ ok: false });
  });
});

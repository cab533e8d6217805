import { once } from 'node:events';
import { type ClientRequest, request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AccountsModule } from '../../src/accounts/accounts.module';
import { ConnectionsModule } from '../../src/connections/connections.module';
import { ConsentsModule } from '../../src/consents/consents.module';
import { ADMIN_KEY, type AdminApp, startAdminApp } from '../support/admin-app';
import { sharedDatabase } from '../support/postgres';
import { eventually } from '../support/eventually';
import { liveMegabytes } from '../support/live-memory';
import { addConsent, type Registered, registerConsent } from '../support/registry-data';

interface Result {
  created: number;
  updated: number;
  rejected: { line: number; errors: { field: string; message: string }[] }[];
}

describe('import of accounts', () => {
  let admin: AdminApp;
  let registered: Registered;
  const shared = sharedDatabase();

  beforeEach(async () => {
    admin = await startAdminApp([ConnectionsModule, ConsentsModule, AccountsModule], {}, shared());
    registered = await registerConsent(admin);
  });
  afterEach(() => admin.close());

  const line = (name: string, more: object = {}): string =>
    JSON.stringify({
      consentId: registered.consentId,
      providerAccountId: `iban-${name}`,
      currency: 'EUR',
      accountExtId: `ext-${name}`,
      ...more,
    });

  async function importLines(lines: string[], type = 'application/x-ndjson'): Promise<Result> {
    const answer = await admin.api.post('/admin/accounts/import').set('Content-Type', type).send(lines.join('\n'));
    expect([answer.status, answer.type]).toEqual([200, 'application/json']);
    return answer.body as Result;
  }

  async function countAccounts(): Promise<number> {
    const [row] = await admin.testDatabase.database.query<{ n: number }>(`select count(*)::int as n from account`);
    return row?.n ?? 0;
  }

  function open(): ClientRequest {
    return httpRequest(`${admin.url}/admin/accounts/import`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/x-ndjson' },
    });
  }

  it('keeps the good lines and reports every bad one with its number', async () => {
    const lines = [
      line('a'),
      '{"broken',
      line('b'),
      line('c', { currency: 'XXX' }),
      line('d', { consentId: '999999' }),
      line('e'),
      line('f', { providerAccountId: '.' }),
    ];
    const result = await importLines(lines);
    expect(result).toMatchObject({ created: 3, updated: 0 });
    expect(result.rejected.map((rejection) => [rejection.line, rejection.errors[0]?.field])).toEqual([
      [2, ''],
      [4, 'currency'],
      [5, 'consentId'],
      [7, 'providerAccountId'],
    ]);
    const list = await admin.api.get('/admin/accounts');
    const { items } = list.body as { items: { accountExtId: string }[] };
    expect(items.map(({ accountExtId }) => accountExtId)).toEqual(['ext-a', 'ext-b', 'ext-e']);
  });

  it('refuses a line that two readers could understand differently, or that is no object, and says why', async () => {
    const result = await importLines([
      line('a').replace('"currency"', '"currency":"USD","currency"'),
      `${line('b')} ${line('c')}`,
      '4711',
      line('d'),
    ]);
    expect(result).toMatchObject({ created: 1, updated: 0 });
    const messages = result.rejected.map(({ errors }) => errors[0]?.message);
    expect(messages).toEqual([
      expect.stringMatching(/^must be one well-formed JSON object: the key "currency" occurs twice/),
      expect.stringMatching(/^must be one well-formed JSON object: text after the end of the JSON value/),
      'must be one JSON object',
    ]);
  });

  it('reads CSV with a header row', async () => {
    const lines = [
      'consentId,providerAccountId,currency,accountExtId,businessUnit',
      `${registered.consentId},iban-a,EUR,ext-a,`,
      `${registered.consentId},"iban-b,EUR,ext-b,`,
      `${registered.consentId},iban-c,EUR,ext-c,LT`,
    ];
    const result = await importLines(lines, 'text/csv; charset=utf-8');
    expect(result).toMatchObject({ created: 2, updated: 0, rejected: [{ line: 3 }] });
    const { items } = (await admin.api.get('/admin/accounts')).body as { items: { businessUnit: string | null }[] };
    expect(items.map(({ businessUnit }) => businessUnit)).toEqual([null, 'LT']);
  });

  it('refuses a CSV file without a usable header row and stores nothing', async () => {
    const answer = await admin.api
      .post('/admin/accounts/import')
      .set('Content-Type', 'text/csv')
      .send(`\n\n${registered.consentId},iban-a,EUR,ext-a,\n`);
    expect(answer.body).toMatchObject({ status: 400, errors: [{ field: 'line 3' }] });
    expect(await countAccounts()).toBe(0);
  });

  it('updates what it knows: the same file again creates nothing, and another consent moves the account', async () => {
    await importLines([line('a'), line('b')]);
    expect(await importLines([line('a'), line('b')])).toEqual({ created: 0, updated: 2, rejected: [] });
    const target = await addConsent(admin, registered.connectionId);
    expect(await importLines([line('a', { consentId: target })])).toEqual({ created: 0, updated: 1, rejected: [] });
    const rows = await admin.testDatabase.database.query(
      `select a.consent_id = $1 as moved, s.consent_id = a.consent_id as whole from account a join access_subject s on s.id = a.subject_id order by a.id`,
      [target],
    );
    expect(rows).toEqual([
      { moved: true, whole: true },
      { moved: false, whole: true },
    ]);
  });

  it('rejects a line that would rename a known account or revive a closed one', async () => {
    await importLines([line('a'), line('b', { businessUnit: 'LT' }), line('c')]);
    const { items } = (await admin.api.get('/admin/accounts')).body as { items: { id: string }[] };
    await admin.api.delete(`/admin/accounts/${items[2]?.id ?? ''}`);
    const result = await importLines([line('a', { accountExtId: 'other' }), line('b'), line('c')]);
    expect(result).toMatchObject({ created: 0, updated: 0 });
    expect(result.rejected.map(({ errors }) => errors[0]?.field)).toEqual(['accountExtId', 'businessUnit', '']);
    expect(result.rejected[0]?.errors[0]?.message).toContain(items[0]?.id);
  });

  it('treats repetitions within one file as if each line had been sent alone', async () => {
    const result = await importLines([
      line('a'),
      line('a'),
      line('a', { accountExtId: 'other' }),
      line('b', { accountExtId: 'ext-a' }),
      line('b'),
      line('b', { accountExtId: 'ext-a' }),
    ]);
    expect(result).toMatchObject({ created: 2, updated: 1 });
    expect(result.rejected.map((rejection) => [rejection.line, rejection.errors[0]?.field])).toEqual([
      [3, 'accountExtId'],
      [4, 'accountExtId'],
      [6, 'accountExtId'],
    ]);
  });

  it('rejects an accountExtId that another account has, names it, and leaves no subject behind', async () => {
    await importLines([line('a')]);
    const result = await importLines([line('z', { accountExtId: 'ext-a' })]);
    const { items } = (await admin.api.get('/admin/accounts')).body as { items: { id: string }[] };
    expect(result.rejected[0]?.errors[0]?.message).toContain(`account ${items[0]?.id ?? '?'}`);
    const subjects = await admin.testDatabase.database.query(`select provider_account_id from access_subject`);
    expect(subjects).toEqual([{ provider_account_id: 'iban-a' }]);
  });

  it('takes no other media type, no compressed body and no caller without a key', async () => {
    const send = (type: string): ReturnType<typeof admin.api.post> =>
      admin.api.post('/admin/accounts/import').set('Content-Type', type);
    expect((await send('application/json').send('{}')).status).toBe(415);
    expect((await send('text/plain').send('a')).status).toBe(415);
    expect((await send('text/csv; charset=utf-16').send('a')).status).toBe(415);
    expect((await send('text/csv').set('Content-Encoding', 'gzip').send('a')).status).toBe(415);
    const anonymous = await admin.anonymous.post('/admin/accounts/import').set('Content-Type', 'text/csv').send('a');
    expect(anonymous.status).toBe(401);
    expect(await countAccounts()).toBe(0);
  });

  it('ends with what was stored when the client goes away in the middle', async () => {
    const client = open();
    client.on('error', () => undefined);
    for (let number = 0; number < 1_500; number += 1) client.write(`${line(String(number))}\n`);
    await eventually('a chunk is stored', async () => (await countAccounts()) >= 1_000);
    client.destroy();
    expect(await countAccounts()).toBe(1_000);
    expect((await admin.api.get('/admin/accounts?limit=1')).status).toBe(200);
    const repeated = await importLines(Array.from({ length: 1_500 }, (_, number) => line(String(number))));
    expect(repeated).toEqual({ created: 500, updated: 1_000, rejected: [] });
  });

  it('lets two imports of the same accounts in opposite order both end, with every account once', async () => {
    const lines = Array.from({ length: 3_000 }, (_, number) => line(String(number)));
    const [one, two] = await Promise.all([importLines(lines), importLines([...lines].reverse())]);
    const total = (result: Result): number => result.created + result.updated + result.rejected.length;
    expect([total(one), total(two)]).toEqual([3_000, 3_000]);
    expect([one.created + two.created, one.updated + two.updated]).toEqual([3_000, 3_000]);
    expect(await countAccounts()).toBe(3_000);
  });

  it('imports 100,000 accounts in under 60 s with memory that does not grow with the file', async () => {
    const accounts = 100_000;
    const held: number[] = [];
    function* body(): Generator<string> {
      for (let number = 0; number < accounts; number += 1) {
        if (number === 50_000) yield 'a broken line in the middle\n';
        if (number % 20_000 === 10_000) held.push(liveMegabytes());
        yield `${line(String(number), { businessUnit: 'u'.repeat(255) })}\n`;
      }
    }
    const startedAt = performance.now();
    const client = open();
    const answered = once(client, 'response');
    await pipeline(Readable.from(body()), client);
    const [response] = (await answered) as [Readable];
    const text = (await response.toArray()).join('');
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(JSON.parse(text)).toEqual({
      created: accounts,
      updated: 0,
      rejected: [
        {
          line: 50_001,
          errors: [{ field: '', message: 'must be one well-formed JSON object: expected a value (position 0)' }],
        },
      ],
    });
    expect(seconds).toBeLessThan(60);
    // The last 80,000 accounts would be more than twice as much.
    expect(held).toHaveLength(5);
    expect(Math.max(...held) - Number(held[0])).toBeLessThan(15);
  }, 90_000);

  it('reports each of 100,000 bad lines', async () => {
    const lines = Array.from({ length: 100_000 }, (_, number) => line(String(number), { currency: 'XXX' }));
    const result = await importLines(lines);
    expect(result).toMatchObject({ created: 0, updated: 0 });
    expect(result.rejected).toHaveLength(100_000);
    expect(result.rejected.every((rejection, at) => rejection.line === at + 1)).toBe(true);
  }, 60_000);
});

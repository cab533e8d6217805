import { randomBytes } from 'node:crypto';
import { TRUSTED_FOR_MS } from '../../src/providers/provider-tokens';
import type { FaultAction } from '../../src/simulators';
import { SecretBox } from '../../src/shared/secret-box';
import {
  addMyposAccount,
  addMyposAccounts,
  addOneSingleViewAccount,
  callsOf,
  hastenRepeats,
  newMyposConsent,
  readNow,
  type AddedAccount,
} from '../support/bank-accounts';
import { bankServers } from '../support/bank-server';
import { eventually } from '../support/eventually';
import { Outside, registerMypos, registerOneSingleView, TestGateway, type Json } from '../support/gateway';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

const tpp = (code: string): string => JSON.stringify({ tppMessages: [{ category: 'ERROR', code, text: 'told to' }] });
const says = (status: number, body: string, headers?: Record<string, string>): FaultAction => ({
  kind: 'status',
  status,
  body,
  ...(headers && { headers }),
});
const DATE_TIME = '2026-03-05T12:00:00Z';

describe('what a bank answers, and what stops for it', () => {
  const startBank = bankServers();
  let testDatabase: TestDatabase;
  let outside: Outside;
  let gateway: TestGateway;
  let scene: { gateway: TestGateway; outside: Outside };

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    outside = await Outside.start();
    gateway = await TestGateway.start(testDatabase, outside);
    scene = { gateway, outside };
  });

  afterAll(async () => {
    await gateway.close();
    await outside.close();
    await testDatabase.drop();
  });

  afterEach(async () => {
    await outside.mypos.clearFaults();
    await outside.onesingleview.clearFaults();
  });

  /** Two accounts under one consent, and one under another consent of the same connection. */
  async function threeAccounts(settings: object = {}): Promise<{
    connectionId: string;
    consentId: string;
    hit: AddedAccount;
    sibling: AddedAccount;
    stranger: AddedAccount;
  }> {
    const { connectionId, consentId } = await registerMypos(gateway, outside, settings);
    const other = await gateway.ok('POST', '/admin/consents', { connectionId, ...(await newMyposConsent(outside)) });
    const hit = await addMyposAccount(scene, consentId);
    const sibling = await addMyposAccount(scene, consentId);
    return { connectionId, consentId, hit, sibling, stranger: await addMyposAccount(scene, other.id) };
  }

  async function fault(account: AddedAccount, action: FaultAction, times?: number): Promise<void> {
    const match = { account: account.number, ...(times === undefined ? {} : { times }) };
    await outside.mypos.addFault({ match, do: action });
  }

  /** The warnings and errors in the log while `work` goes on. */
  async function logged(work: () => Promise<void>): Promise<unknown[]> {
    const lines: unknown[] = [];
    const note = (line: unknown): void => void lines.push(line);
    gateway.app.useLogger({ log: () => undefined, warn: note, error: note });
    try {
      await work();
    } finally {
      gateway.app.useLogger(false);
    }
    return lines;
  }

  async function outcomes(...accounts: AddedAccount[]): Promise<string[]> {
    return (await readNow(gateway, accounts)).map(({ outcome }) => outcome);
  }

  async function unread(...accounts: AddedAccount[]): Promise<void> {
    for (const { number } of accounts) expect(await callsOf(outside.mypos, number)).toBe(0);
  }

  it.each([
    ['404', says(404, ''), 'ACCOUNT_UNKNOWN'],
    ['RESOURCE_UNKNOWN', says(400, tpp('RESOURCE_UNKNOWN')), 'ACCOUNT_UNKNOWN'],
    ['a 4xx that says nothing', says(418, '{}'), 'BANK_ERROR'],
    ['a bare 403, as firewalls answer', says(403, '<html>Request blocked</html>'), 'BANK_ERROR'],
    ['a login page with 200', { kind: 'html' } as const, 'INVALID_PAYLOAD'],
    ['a login page labelled JSON', { kind: 'html-as-json' } as const, 'INVALID_PAYLOAD'],
  ])('%s stops nothing: the account waits for its next slot', async (_answer, action, outcome) => {
    const { hit, sibling, stranger } = await threeAccounts();
    await fault(hit, action);
    expect(await outcomes(hit)).toEqual([outcome]);
    expect(await callsOf(outside.mypos, hit.number)).toBe(1);
    expect(await outcomes(sibling, stranger)).toEqual(['READ', 'READ']);
    await outside.mypos.clearFaults();
    expect(await outcomes(hit)).toEqual(['READ']);
  });

  it.each(['CONSENT_INVALID', 'CONSENT_EXPIRED', 'CONSENT_UNKNOWN'])(
    '%s stops every account of the consent until it is renewed, and no other',
    async (code) => {
      const { connectionId, consentId, hit, sibling, stranger } = await threeAccounts();
      await fault(hit, says(401, tpp(code)));
      const lines = await logged(async () => expect(await outcomes(hit)).toEqual(['CONSENT_REQUIRED']));
      expect(lines).toEqual([{ msg: 'a consent is stopped', consentId, connectionId, outcome: 'CONSENT_REQUIRED' }]);
      expect(await outcomes(sibling, stranger)).toEqual(['CONSENT_REQUIRED', 'READ']);
      await unread(sibling);
      await outside.mypos.clearFaults();
      await gateway.ok('PATCH', `/admin/consents/${consentId}`, { status: 'valid' });
      expect(await outcomes(hit, sibling)).toEqual(['READ', 'READ']);
    },
  );

  it('a refusal that was under way when the consent was renewed does not stop it again; a later one does', async () => {
    const { connectionId, consentId, hit, sibling } = await threeAccounts();
    const [both, renewed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const bank = await startBank(async (_request, number) => {
      if (number === 2) both.resolve();
      await (number === 1 ? both.promise : renewed.promise);
      return { status: 401, body: tpp('CONSENT_EXPIRED') };
    });
    await gateway.ok('PATCH', `/admin/connections/${connectionId}`, { baseUrl: bank.url });
    const stop = async (): Promise<Json> => (await gateway.ok('GET', `/admin/consents/${consentId}`)).stop;
    const refused = outcomes(hit, sibling);
    await eventually('the consent is stopped', async () => (await stop()) !== null);
    await gateway.ok('PATCH', `/admin/consents/${consentId}`, { validUntil: '2099-01-01T00:00:00Z' });
    renewed.resolve();
    expect(await refused).toEqual(['CONSENT_REQUIRED', 'CONSENT_REQUIRED']);
    expect(await stop()).toBeNull();
    expect(await outcomes(hit)).toEqual(['CONSENT_REQUIRED']);
    expect(await stop()).toMatchObject({ outcome: 'CONSENT_REQUIRED' });
    expect(bank.requests).toHaveLength(3);
  });

  it('a refused token of the consent stops its accounts until the token is replaced', async () => {
    const { consentId, hit, sibling, stranger } = await threeAccounts();
    await fault(hit, says(401, tpp('TOKEN_EXPIRED')));
    expect(await outcomes(hit)).toEqual(['TOKEN_REJECTED']);
    expect(await callsOf(outside.mypos, hit.number)).toBe(1);
    expect(await outcomes(sibling, stranger)).toEqual(['TOKEN_REJECTED', 'READ']);
    await unread(sibling);
    await outside.mypos.clearFaults();
    const { accessToken } = await newMyposConsent(outside);
    await gateway.ok('PATCH', `/admin/consents/${consentId}`, { accessToken });
    // That token is another consent's: refused by the bank, so it was really sent.
    expect(await outcomes(sibling)).toEqual(['TOKEN_REJECTED']);
    await outside.mypos.call('POST', 'tokens', { token: 'renewed-by-the-psu' });
    await gateway.ok('PATCH', `/admin/consents/${consentId}`, { accessToken: 'renewed-by-the-psu' });
    expect(await outcomes(hit, sibling)).toEqual(['READ', 'READ']);
  });

  it.each(['CERTIFICATE_EXPIRED', 'SIGNATURE_INVALID'])(
    '%s pauses the connection until an operator resumes it',
    async (code) => {
      const { connectionId, hit, sibling, stranger } = await threeAccounts();
      await fault(hit, says(401, tpp(code)));
      const lines = await logged(async () => expect(await outcomes(hit)).toEqual(['CERTIFICATE_PROBLEM']));
      expect(lines).toEqual([{ msg: 'a connection is paused', connectionId, outcome: 'CERTIFICATE_PROBLEM' }]);
      expect(await gateway.ok('GET', `/admin/connections/${connectionId}`)).toMatchObject({ status: 'paused' });
      expect(await outcomes(sibling, stranger)).toEqual(['PAUSED', 'PAUSED']);
      await unread(sibling, stranger);
      await outside.mypos.clearFaults();
      await gateway.ok('PATCH', `/admin/connections/${connectionId}`, { status: 'active' });
      expect(await outcomes(hit, sibling, stranger)).toEqual(['READ', 'READ', 'READ']);
    },
  );

  it('a certificate that is refused after its successor was stored pauses nothing; the successor itself, refused, does', async () => {
    const { connectionId, hit } = await threeAccounts();
    const change = (body: object): Promise<Json> => gateway.ok('PATCH', `/admin/connections/${connectionId}`, body);
    const bank = await startBank(async (_request, number) => {
      if (number === 1) await change({ secrets: { apiKey: 'its-successor' } });
      return { status: 401, body: tpp('CERTIFICATE_EXPIRED') };
    });
    await change({ baseUrl: bank.url });
    const refused = async (): Promise<unknown> => {
      expect(await outcomes(hit)).toEqual(['CERTIFICATE_PROBLEM']);
      return (await gateway.ok('GET', `/admin/connections/${connectionId}`)).status;
    };
    const lines = await logged(async () => expect(await refused()).toBe('active'));
    expect(lines).toEqual([]);
    expect(await refused()).toBe('paused');
    expect(bank.requests).toHaveLength(2);
  });

  it('accounts that wait in a run when their connection pauses end as PAUSED without a call', async () => {
    const { connectionId, hit, sibling } = await threeAccounts({ requestsPerSecond: 2 });
    await fault(hit, says(401, tpp('CERTIFICATE_REVOKED')));
    expect(await outcomes(hit, sibling)).toEqual(['CERTIFICATE_PROBLEM', 'PAUSED']);
    await unread(sibling);
    expect(await gateway.ok('GET', `/admin/connections/${connectionId}`)).toMatchObject({
      status: 'paused',
      pausedBy: 'gateway',
    });
  });

  it('429 without a word stops the connection for as long as Retry-After says', async () => {
    const { hit, sibling, stranger } = await threeAccounts();
    await fault(hit, says(429, '{}', { 'Retry-After': '3600' }));
    const [reading] = await readNow(gateway, [hit]);
    expect(reading.outcome).toBe('RATE_LIMITED');
    const waitMs = Date.parse(reading.nextReadAt) - Date.parse(reading.fetchedAt);
    expect(waitMs).toBe(3_600_000);
    expect(await outcomes(sibling, stranger)).toEqual(['RATE_LIMITED', 'RATE_LIMITED']);
    await unread(sibling, stranger);
    await testDatabase.database.query(`update connection set not_before = now() where not_before is not null`);
    await outside.mypos.clearFaults();
    expect(await outcomes(hit, sibling, stranger)).toEqual(['READ', 'READ', 'READ']);
  });

  it('ACCESS_EXCEEDED stops the account alone', async () => {
    const { hit, sibling, stranger } = await threeAccounts();
    await fault(hit, says(429, tpp('ACCESS_EXCEEDED'), { 'Retry-After': '120' }));
    expect(await outcomes(hit)).toEqual(['RATE_LIMITED']);
    await outside.mypos.clearFaults();
    const [again] = await readNow(gateway, [hit]);
    expect(again).toMatchObject({ outcome: 'RATE_LIMITED', nextReadAt: expect.any(String) });
    expect(await callsOf(outside.mypos, hit.number)).toBe(1);
    expect(await outcomes(sibling, stranger)).toEqual(['READ', 'READ']);
  });

  it('ACCESS_EXCEEDED stops the consent where its accounts share the budget', async () => {
    const { hit, sibling, stranger } = await threeAccounts({ accessScope: 'consent' });
    await fault(hit, says(429, tpp('ACCESS_EXCEEDED')));
    expect(await outcomes(hit)).toEqual(['RATE_LIMITED']);
    expect(await outcomes(sibling, stranger)).toEqual(['RATE_LIMITED', 'READ']);
    await unread(sibling);
  });

  describe('an unavailable bank', () => {
    async function waiting(account: AddedAccount, tries: number): Promise<{ waitMs: number } | undefined> {
      const [row] = await testDatabase.database.query<{ wait_ms: number }>(
        `select extract(epoch from s.due_at - b.fetched_at)::float8 * 1000 as wait_ms
from waiting_account s join lateral (select fetched_at from balance_reading where account_id = s.account_id order by id desc limit 1) b on true
where s.account_id = $1 and s.tries = $2`,
        [account.id, tries],
      );
      return row && { waitMs: row.wait_ms };
    }

    async function readAndHasten(account: AddedAccount, repeats: number): Promise<{ waits: number[]; run: Json }> {
      const { runId } = await gateway.ok('POST', '/admin/resync', { accountIds: [account.id] });
      const waits: number[] = [];
      for (let tries = 1; tries <= repeats; tries++) {
        const { waitMs } = await eventually(`repeat ${tries} waits`, () => waiting(account, tries));
        waits.push(waitMs);
        await hastenRepeats(testDatabase);
      }
      return { waits, run: await gateway.finished(runId) };
    }

    it.each([
      ['503', says(503, '')],
      ['a dropped connection', { kind: 'drop-after-commit' } as const],
      ['a truncated answer', { kind: 'truncate' } as const],
    ])('%s: asked again after 1 s and 5 s, and then not before the next slot', async (_answer, action) => {
      const { hit, sibling, stranger } = await threeAccounts();
      await fault(hit, action);
      const { waits, run } = await readAndHasten(hit, 2);
      expect(waits.map((ms) => Math.round(ms / 1000))).toEqual([1, 5]);
      expect(run).toMatchObject({ outcomes: { BANK_UNAVAILABLE: 1 } });
      expect(await callsOf(outside.mypos, hit.number)).toBe(3);
      const readings = await gateway.list(`/admin/readings?runId=${run.id}`);
      expect(readings.map(({ outcome }) => outcome)).toEqual(Array(3).fill('BANK_UNAVAILABLE'));
      expect(await outcomes(sibling, stranger)).toEqual(['READ', 'READ']);
    });

    it('that recovers in time: the last reading counts for the run, the first one stays in the list', async () => {
      const { hit } = await threeAccounts();
      await fault(hit, says(500, ''), 1);
      const { run } = await readAndHasten(hit, 1);
      expect(run).toMatchObject({ outcomes: { READ: 1 }, records: expect.any(Object) });
      const readings = await gateway.list(`/admin/readings?runId=${run.id}`);
      expect(readings.map(({ outcome }) => outcome)).toEqual(['BANK_UNAVAILABLE', 'READ']);
    });

    it('is not asked again within the run where it asks for a longer rest', async () => {
      const { hit } = await threeAccounts();
      await fault(hit, says(503, '', { 'Retry-After': '600' }));
      expect(await outcomes(hit)).toEqual(['BANK_UNAVAILABLE']);
      expect(await callsOf(outside.mypos, hit.number)).toBe(1);
    });

    async function spend(account: AddedAccount, reads: number): Promise<void> {
      await testDatabase.database.query(
        `insert into access_ledger (subject_id, consent_id, purpose, request_id, read_at)
select subject_id, consent_id, 'schedule', gen_random_uuid(), now() - interval '1 hour' from account, generate_series(1, $2::integer) where id = $1`,
        [account.id, reads],
      );
    }

    it.each([
      [0, 3],
      [1, 2],
      [2, 1],
      [3, 1],
    ])('after %s reads of four is called %s times: a repeat never takes the last one', async (spent, calls) => {
      const { hit } = await threeAccounts();
      await spend(hit, spent);
      await fault(hit, says(503, ''));
      const { run } = await readAndHasten(hit, calls - 1);
      expect(await callsOf(outside.mypos, hit.number)).toBe(calls);
      expect(await gateway.list(`/admin/readings?runId=${run.id}`)).toHaveLength(calls);
    });

    it('is not asked again with a last read that others have left over meanwhile', async () => {
      const { hit } = await threeAccounts();
      await fault(hit, says(503, ''));
      const { runId } = await gateway.ok('POST', '/admin/resync', { accountIds: [hit.id] });
      await eventually('the repeat waits', () => waiting(hit, 1));
      await spend(hit, 2);
      await hastenRepeats(testDatabase);
      expect(await gateway.finished(runId)).toMatchObject({ outcomes: { BANK_UNAVAILABLE: 1 } });
      expect(await callsOf(outside.mypos, hit.number)).toBe(1);
      const readings = await gateway.list(`/admin/readings?runId=${runId}`);
      expect(readings.at(-1).reason).toContain('last read');
    });
  });

  describe("a connection's own token (OneSingleView)", () => {
    const BALANCE = { amount: '12.30', currency: 'EUR', dateTime: DATE_TIME };

    it('that is refused is renewed once, and the read repeated once, within the run', async () => {
      const { consentId } = await registerOneSingleView(gateway, outside);
      const account = await addOneSingleViewAccount(scene, consentId, BALANCE);
      expect(await outcomes(account)).toEqual(['READ']);
      await outside.onesingleview.call('DELETE', 'tokens');
      const run = await gateway.sync({ accountIds: [account.id] });
      const readings = await gateway.list(`/admin/readings?runId=${run.id}`);
      expect(readings.map(({ outcome }) => outcome)).toEqual(['TOKEN_REJECTED', 'READ']);
      // Until then another replica may take the refused token for a good one.
      const [refusedMs = NaN, readMs = NaN] = readings.map(({ fetchedAt }) => Date.parse(fetchedAt));
      expect(readMs - refusedMs).toBeGreaterThanOrEqual(TRUSTED_FOR_MS);
      expect(run.outcomes).toEqual({ READ: 1 });
      expect(await gateway.ok('GET', `/admin/consents/${consentId}`)).toMatchObject({ stop: null });
    });

    it('that is refused again stops the consent until a person says it is valid', async () => {
      const { consentId } = await registerOneSingleView(gateway, outside);
      const account = await addOneSingleViewAccount(scene, consentId, BALANCE);
      const sibling = await addOneSingleViewAccount(scene, consentId, BALANCE);
      const match = { account: account.number };
      await outside.onesingleview.addFault({ match, do: says(401, tpp('TOKEN_INVALID')) });
      expect(await outcomes(account)).toEqual(['TOKEN_REJECTED']);
      expect(await callsOf(outside.onesingleview, account.number)).toBe(2);
      expect(await outcomes(sibling)).toEqual(['TOKEN_REJECTED']);
      expect(await callsOf(outside.onesingleview, sibling.number)).toBe(0);
      await outside.onesingleview.clearFaults();
      await gateway.ok('PATCH', `/admin/consents/${consentId}`, { status: 'valid', reason: 'the vendor mended it' });
      expect(await outcomes(account, sibling)).toEqual(['READ', 'READ']);
    });

    it('that is refused in a repeat after a time-out is still renewed, for that is another matter', async () => {
      const { consentId } = await registerOneSingleView(gateway, outside);
      const account = await addOneSingleViewAccount(scene, consentId, BALANCE);
      const match = { account: account.number, times: 1 };
      await outside.onesingleview.addFault({ match, do: says(503, '') });
      await outside.onesingleview.addFault({ match: { ...match, after: 1 }, do: says(401, tpp('TOKEN_EXPIRED')) });
      const { runId } = await gateway.ok('POST', '/admin/resync', { accountIds: [account.id] });
      await eventually('the repeat waits', async () => {
        const rows = await testDatabase.database.query(
          'select 1 from waiting_account where run_id = $1 and tries = 1',
          [runId],
        );
        return rows.length === 1;
      });
      await hastenRepeats(testDatabase);
      expect(await gateway.finished(runId)).toMatchObject({ outcomes: { READ: 1 } });
      expect(await gateway.ok('GET', `/admin/consents/${consentId}`)).toMatchObject({ stop: null });
    });
  });

  it('makes no call under a consent past its end', async () => {
    const { consentId, hit, stranger } = await threeAccounts();
    await testDatabase.database.query(`update consent set valid_until = now() - interval '1 second' where id = $1`, [
      consentId,
    ]);
    expect(await outcomes(hit, stranger)).toEqual(['CONSENT_REQUIRED', 'READ']);
    await unread(hit);
  });

  it('makes no call for a closed account, while the other currency of its number is read', async () => {
    const { consentId } = await registerMypos(gateway, outside);
    const [eur, pln] = await addMyposAccounts(scene, consentId, [
      { amount: '1.00', currency: 'EUR' },
      { amount: '2.00', currency: 'PLN' },
    ]);
    if (!eur || !pln) throw new Error('an account is missing');
    await gateway.ok('DELETE', `/admin/accounts/${eur.id}`);
    expect(await outcomes(eur, pln)).toEqual(['ACCOUNT_CLOSED', 'READ']);
    await gateway.ok('DELETE', `/admin/accounts/${pln.id}`);
    expect(await outcomes(eur, pln)).toEqual(['ACCOUNT_CLOSED', 'ACCOUNT_CLOSED']);
    expect(await callsOf(outside.mypos, eur.number)).toBe(1);
  });

  it('says of a closed account that it is closed, also where its connection is paused', async () => {
    const { connectionId, hit, sibling } = await threeAccounts();
    await gateway.ok('DELETE', `/admin/accounts/${hit.id}`);
    await gateway.ok('PATCH', `/admin/connections/${connectionId}`, { status: 'paused', reason: 'maintenance' });
    expect(await outcomes(hit, sibling)).toEqual(['ACCOUNT_CLOSED', 'PAUSED']);
    // As after failures of the bank: its health is asked for before its accounts are claimed.
    await testDatabase.database.query('insert into connection_health (connection_id) values ($1)', [connectionId]);
    expect(await outcomes(hit, sibling)).toEqual(['ACCOUNT_CLOSED', 'PAUSED']);
    await unread(hit, sibling);
  });

  it('keeps what a bank writes readable even where it has a NUL', async () => {
    const { hit } = await threeAccounts();
    await fault(hit, says(400, 'no\0good'));
    expect(await readNow(gateway, [hit])).toMatchObject([
      { outcome: 'BANK_ERROR', reason: expect.stringMatching(/no.good/) },
    ]);
  });

  it.each([
    [1, '40P01', 'READ'],
    [1, '23505', 'READ'],
    [2, '23505', 'GATEWAY_ERROR'],
  ])(
    'a reading whose writing is refused %i times, with %s, is %s, and the bank is asked once',
    async (times, code, outcome) => {
      const { hit } = await threeAccounts();
      const { database } = testDatabase;
      // A sequence counts what is rolled back, too.
      await database.query('create sequence refusals');
      await database.query(`create function refuse_some() returns trigger language plpgsql as $$ begin
  if nextval('refusals') <= ${times} then raise exception 'refused' using errcode = '${code}'; end if;
  return new;
end $$`);
      await database.query(
        'create trigger refuse_some before insert on balance_reading for each row execute function refuse_some()',
      );
      try {
        expect(await outcomes(hit)).toEqual([outcome]);
        expect(await callsOf(outside.mypos, hit.number)).toBe(1);
      } finally {
        await database.query('drop function refuse_some cascade');
        await database.query('drop sequence refusals');
      }
    },
  );

  describe('a fault of the gateway itself', () => {
    it('in the mapping of one account is that account alone, and the run ends', async () => {
      const { consentId } = await registerMypos(gateway, outside);
      const [eur, pln] = await addMyposAccounts(scene, consentId, [
        { amount: '1.00', currency: 'EUR' },
        { amount: '2.00', currency: 'PLN' },
      ]);
      if (!eur || !pln) throw new Error('an account is missing');
      // No call writes this; a hand in the database may.
      await testDatabase.database.query(`update account set pinned_types = '{"STATEMENT_BALANCE": 5}' where id = $1`, [
        eur.id,
      ]);
      const [broken, whole] = await readNow(gateway, [eur, pln]);
      expect(broken).toMatchObject({ outcome: 'GATEWAY_ERROR', reason: expect.stringMatching(/log has it under/) });
      expect(whole).toMatchObject({ outcome: 'READ' });
      const [row] = await testDatabase.database.query<{ raw_body: string }>(
        'select raw_body from balance_reading where id = $1',
        [broken.id],
      );
      expect(row?.raw_body).toContain('PLN');
    });

    it('in the token of one consent makes no call, costs no read and touches no other consent', async () => {
      const { consentId, hit, stranger } = await threeAccounts();
      const foreign = new SecretBox([{ id: 'k1', key: randomBytes(32) }]).seal(
        'x',
        `consent|access_token|${consentId}`,
      );
      await testDatabase.database.query('update consent set access_token = $2 where id = $1', [consentId, foreign]);
      expect(await outcomes(hit, stranger)).toEqual(['GATEWAY_ERROR', 'READ']);
      await unread(hit);
      expect(await gateway.ok('GET', `/admin/consents/${consentId}`)).toMatchObject({ readsLeft: 4 });
    });

    describe('while a token is looked for', () => {
      afterEach(() => testDatabase.database.query('drop function if exists refuse_token cascade'));

      /** From now on no token can be stored, for so many times. */
      async function refuseTokens(code: string, times: number): Promise<void> {
        const { database } = testDatabase;
        await database.query('create sequence if not exists token_refusals');
        await database.query(`alter sequence token_refusals restart`);
        await database.query(`create function refuse_token() returns trigger language plpgsql as $$ begin
  if nextval('token_refusals') <= ${times} then raise exception 'refused' using errcode = '${code}'; end if;
  return new;
end $$`);
        await database.query(
          'create trigger refuse_token before insert or update on connection_token for each row execute function refuse_token()',
        );
      }

      async function oneAccount(): Promise<{ consentId: string; account: AddedAccount }> {
        const { consentId } = await registerOneSingleView(gateway, outside);
        const balance = { amount: '1.00', currency: 'SAR', dateTime: DATE_TIME };
        return { consentId, account: await addOneSingleViewAccount(scene, consentId, balance) };
      }

      it('that mends by itself is repeated within the run, and costs one read', async () => {
        const { consentId, account } = await oneAccount();
        await refuseTokens('40P01', 1);
        expect(await outcomes(account)).toEqual(['READ']);
        expect(await gateway.ok('GET', `/admin/consents/${consentId}`)).toMatchObject({ readsLeft: 3 });
      });

      it('that stays makes no call, costs no read and is in the log', async () => {
        const { consentId, account } = await oneAccount();
        await refuseTokens('23514', 1_000);
        const lines = await logged(async () => {
          const [read] = await readNow(gateway, [account]);
          expect(read).toMatchObject({ outcome: 'GATEWAY_ERROR', reason: expect.stringMatching(/log has it under/) });
        });
        expect(lines).toEqual([
          expect.objectContaining({ err: expect.objectContaining({ message: 'refused' }) as unknown }),
        ]);
        const path = `/admin/accounts/${account.id}/preview`;
        expect((await gateway.call('POST', path, { source: 'live' })).status).toBe(500);
        expect(await gateway.ok('GET', `/admin/consents/${consentId}`)).toMatchObject({ readsLeft: 4 });
        expect(await callsOf(outside.onesingleview, account.number)).toBe(0);
      });
    });

    it('in the secrets of one connection makes no call and touches no other connection', async () => {
      const { connectionId, consentId, hit } = await threeAccounts();
      const elsewhere = await threeAccounts();
      const box = new SecretBox([{ id: 'k1', key: randomBytes(32) }]);
      const secrets = { apiKey: box.seal('x', `connection|secrets.apiKey|${connectionId}`) };
      await testDatabase.database.query('update connection set secrets = $2 where id = $1', [connectionId, secrets]);
      const [broken, whole] = await readNow(gateway, [hit, elsewhere.hit]);
      expect(broken).toMatchObject({ outcome: 'GATEWAY_ERROR', reason: expect.stringContaining('cannot be used') });
      expect(whole).toMatchObject({ outcome: 'READ' });
      await unread(hit);
      expect(await gateway.ok('GET', `/admin/consents/${consentId}`)).toMatchObject({ readsLeft: 4 });
    });
  });
});

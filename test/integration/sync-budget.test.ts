import {
  addMyposAccount,
  addMyposAccounts,
  callsOf,
  newNumber,
  registerAccount,
  readNow,
  type AddedAccount,
} from '../support/bank-accounts';
import { bankServers } from '../support/bank-server';
import { Outside, registerMypos, TestGateway, type Json } from '../support/gateway';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

const DAY_MS = 86_400_000;

describe("the budget of a consent's unattended reads", () => {
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

  async function ledger(account: AddedAccount): Promise<{ read_at: Date; purpose: string }[]> {
    return testDatabase.database.query<{ read_at: Date; purpose: string }>(
      `select l.read_at, l.purpose from access_ledger l join account a on a.subject_id = l.subject_id where a.id = $1 order by l.id`,
      [account.id],
    );
  }

  async function lastRead(account: AddedAccount): Promise<Date | null | undefined> {
    const [row] = await testDatabase.database.query<{ last_read_at: Date | null }>(
      'select u.last_read_at from access_subject u join account a on a.subject_id = u.id where a.id = $1',
      [account.id],
    );
    return row?.last_read_at;
  }

  /** Moves the reads of an account that are in the ledger into the past. */
  async function ageReads(account: AddedAccount, interval: string): Promise<void> {
    await testDatabase.database.query(
      `update access_ledger set read_at = read_at - $2::interval where subject_id = (select subject_id from account where id = $1)`,
      [account.id, interval],
    );
  }

  async function spend(account: AddedAccount, reads: number): Promise<void> {
    await testDatabase.database.query(
      `insert into access_ledger (subject_id, consent_id, purpose, request_id, read_at)
select subject_id, consent_id, 'schedule', gen_random_uuid(), now() - interval '1 hour' - n * interval '1 minute'
from account, generate_series(1, $2::integer) as n where id = $1`,
      [account.id, reads],
    );
  }

  it('has the row of a read in the ledger before the bank is asked', async () => {
    const seen: unknown[] = [];
    const number = newNumber();
    const bank = await startBank(async ({ headers }) => {
      const requestId = Object.entries(headers).find(([name]) => name.toLowerCase() === 'x-request-id')?.[1];
      seen.push(
        ...(await testDatabase.database.query('select purpose from access_ledger where request_id = $1', [requestId])),
      );
      return { body: JSON.stringify({ account: { accountNumber: number }, balances: [] }) };
    });
    const { consentId } = await registerMypos(gateway, { mypos: bank });
    const id = await registerAccount(gateway, consentId, number);
    await gateway.sync({ accountIds: [id] });
    expect(seen).toEqual([{ purpose: 'resync' }]);
  });

  it('lets ten resyncs in a day make four calls, and says when the next is possible', async () => {
    const { consentId } = await registerMypos(gateway, outside);
    const account = await addMyposAccount(scene, consentId);
    const readings: Json[] = [];
    for (let i = 0; i < 10; i++) readings.push(...(await readNow(gateway, [account])));
    expect(readings.map(({ outcome }) => outcome)).toEqual([
      ...Array<string>(4).fill('READ'),
      ...Array<string>(6).fill('BUDGET_EXHAUSTED'),
    ]);
    expect(await callsOf(outside.mypos, account.number)).toBe(4);
    const [first] = await ledger(account);
    const next = new Date((first?.read_at.getTime() ?? 0) + DAY_MS).toISOString();
    expect(readings[9]).toMatchObject({ nextReadAt: next, reason: expect.stringContaining('4 of 4') });
    expect(await gateway.ok('GET', `/admin/consents/${consentId}`)).toMatchObject({ readsLeft: 0 });
  });

  it('has room again as soon as the oldest of four reads is 24 hours old', async () => {
    const { consentId } = await registerMypos(gateway, outside);
    const account = await addMyposAccount(scene, consentId);
    await spend(account, 4);
    await ageReads(account, '22 hours 56 minutes 30 seconds');
    expect(await readNow(gateway, [account])).toMatchObject([{ outcome: 'READ' }]);
    expect(await readNow(gateway, [account])).toMatchObject([{ outcome: 'BUDGET_EXHAUSTED' }]);
  });

  it('counts by the calendar day of the connection where it is told to', async () => {
    const settings = { accessWindow: 'calendar-day', timeZone: 'Asia/Kathmandu' };
    const { consentId } = await registerMypos(gateway, outside, settings);
    const account = await addMyposAccount(scene, consentId);
    const [midnights] = await testDatabase.database.query<{ last: Date; next: Date }>(
      `select date_trunc('day', now(), 'Asia/Kathmandu') as last,
  (date_trunc('day', now() at time zone 'Asia/Kathmandu') + interval '1 day') at time zone 'Asia/Kathmandu' as next`,
    );
    await spend(account, 4);
    const setTo = async (instant: string): Promise<void> => {
      await testDatabase.database.query(
        `update access_ledger set read_at = ${instant} where subject_id = (select subject_id from account where id = $1)`,
        [account.id],
      );
    };
    await setTo(`date_trunc('day', now(), 'Asia/Kathmandu') + interval '1 microsecond'`);
    expect(await readNow(gateway, [account])).toMatchObject([
      { outcome: 'BUDGET_EXHAUSTED', nextReadAt: midnights?.next.toISOString() },
    ]);
    await setTo(`date_trunc('day', now(), 'Asia/Kathmandu') - interval '1 second'`);
    expect(await readNow(gateway, [account])).toMatchObject([{ outcome: 'READ' }]);
  });

  it('allows what an agreement with the bank allows, and no more', async () => {
    const agreement = { frequencyPerDay: 6, agreementReference: 'AG-1' };
    const { consentId } = await registerMypos(gateway, outside, {}, agreement);
    const account = await addMyposAccount(scene, consentId);
    await spend(account, 5);
    expect(await readNow(gateway, [account])).toMatchObject([{ outcome: 'READ' }]);
    expect(await readNow(gateway, [account])).toMatchObject([{ outcome: 'BUDGET_EXHAUSTED' }]);
  });

  it('counts the reads of all accounts of a consent where the bank counts so, also those claimed together', async () => {
    const { consentId } = await registerMypos(gateway, outside, { accessScope: 'consent' });
    const accounts: AddedAccount[] = [];
    for (let i = 0; i < 6; i++) accounts.push(await addMyposAccount(scene, consentId));
    const [first] = accounts;
    if (!first) throw new Error('no account');
    await spend(first, 1);
    const outcomes = await readNow(gateway, accounts);
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual([
      ...Array<string>(3).fill('BUDGET_EXHAUSTED'),
      ...Array<string>(3).fill('READ'),
    ]);
    const [oldest] = await ledger(first);
    const next = new Date((oldest?.read_at.getTime() ?? 0) + DAY_MS).toISOString();
    const denied = outcomes.filter(({ outcome }) => outcome === 'BUDGET_EXHAUSTED');
    expect(denied.map(({ nextReadAt }) => nextReadAt)[0]).toBe(next);
    expect(await gateway.ok('GET', `/admin/consents/${consentId}`)).toMatchObject({ readsLeft: 0 });
  });

  it('serves the EUR and the PLN account of one number by one call', async () => {
    const { consentId } = await registerMypos(gateway, outside);
    const accounts = await addMyposAccounts(scene, consentId, [
      { amount: '10.00', currency: 'EUR' },
      { amount: '43.50', currency: 'PLN' },
    ]);
    const readings = await readNow(gateway, accounts);
    expect(readings.map(({ outcome }) => outcome)).toEqual(['READ', 'READ']);
    expect(await callsOf(outside.mypos, accounts[0]?.number ?? '')).toBe(1);
    const records = await gateway.delivered();
    const values = accounts.map(
      ({ accountExtId }) => records.find((record) => record.accountExtId === accountExtId)?.value,
    );
    expect(values).toEqual(['10.00', '43.50']);
  });

  it('counts a live preview, refuses one past the budget, and counts no stored one', async () => {
    const { consentId } = await registerMypos(gateway, outside);
    const account = await addMyposAccount(scene, consentId);
    const path = `/admin/accounts/${account.id}/preview`;
    for (let i = 0; i < 4; i++) {
      expect(await gateway.ok('POST', path, { source: 'live' })).toMatchObject({ outcome: 'READ' });
    }
    expect((await ledger(account)).map(({ purpose }) => purpose)).toEqual(Array(4).fill('preview'));
    const refused = await gateway.call('POST', path, { source: 'live' });
    expect(refused).toMatchObject({
      status: 409,
      body: { outcome: 'BUDGET_EXHAUSTED', nextReadAt: expect.any(String) },
    });
    expect(await readNow(gateway, [account])).toMatchObject([{ outcome: 'BUDGET_EXHAUSTED' }]);
    expect(await callsOf(outside.mypos, account.number)).toBe(4);
    await ageReads(account, '25 hours');
    await readNow(gateway, [account]);
    expect(await gateway.ok('POST', path, { source: 'stored' })).toMatchObject({ outcome: 'READ' });
    expect(await ledger(account)).toHaveLength(5);
  });

  it('is not touched by a check of the connection, which reads no account', async () => {
    const { connectionId, consentId } = await registerMypos(gateway, outside);
    const account = await addMyposAccount(scene, consentId);
    const reads = async (): Promise<unknown> => (await outside.mypos.stats())['balanceReads'];
    const before = await reads();
    expect(await gateway.ok('POST', `/admin/connections/${connectionId}/check`)).toMatchObject({ ok: true });
    expect(await ledger(account)).toEqual([]);
    expect(await reads()).toBe(before);
  });

  it('is not spent by a read that cannot have reached the bank', async () => {
    const { connectionId, consentId } = await registerMypos(gateway, outside);
    const account = await addMyposAccount(scene, consentId);
    // A port that nobody listens on: refused before a byte has left.
    const body = { baseUrl: 'http://127.0.0.1:1' };
    await gateway.ok('PATCH', `/admin/connections/${connectionId}`, body);
    await spend(account, 3);
    for (let i = 0; i < 3; i++) {
      expect(await readNow(gateway, [account])).toMatchObject([{ outcome: 'BANK_UNAVAILABLE' }]);
    }
    expect(await ledger(account)).toHaveLength(3);
    expect(await gateway.ok('GET', `/admin/consents/${consentId}`)).toMatchObject({ readsLeft: 1 });
    // Nor does the account look as if it were read: a bank that nobody reaches shows in the metric of its accounts.
    expect(await lastRead(account)).toBeNull();
  });

  it('is not spent by a live preview that cannot have reached the bank, or ended before its call', async () => {
    const { connectionId, consentId } = await registerMypos(gateway, outside);
    const account = await addMyposAccount(scene, consentId);
    const path = `/admin/accounts/${account.id}/preview`;
    await gateway.ok('PATCH', `/admin/connections/${connectionId}`, { baseUrl: 'http://127.0.0.1:1' });
    expect(await gateway.ok('POST', path, { source: 'live' })).toMatchObject({ outcome: 'BANK_UNAVAILABLE' });
    expect(await ledger(account)).toEqual([]);
    // Sealed with a key that is gone: the token does not open.
    await testDatabase.database.query(`update consent set access_token = 'v1.gone.AAAA' where id = $1`, [consentId]);
    expect((await gateway.call('POST', path, { source: 'live' })).status).toBe(409);
    expect(await ledger(account)).toEqual([]);
  });

  it('stays spent where a read cannot be given back, and the preview says what it came to', async () => {
    const { connectionId, consentId } = await registerMypos(gateway, outside);
    const account = await addMyposAccount(scene, consentId);
    await gateway.ok('PATCH', `/admin/connections/${connectionId}`, { baseUrl: 'http://127.0.0.1:1' });
    const { database } = testDatabase;
    await database.query(`create function refuse_giving_back() returns trigger language plpgsql as $$ begin
  raise exception 'refused';
end $$`);
    await database.query(
      'create trigger refuse_giving_back before delete on access_ledger for each row execute function refuse_giving_back()',
    );
    try {
      const path = `/admin/accounts/${account.id}/preview`;
      expect(await gateway.ok('POST', path, { source: 'live' })).toMatchObject({ outcome: 'BANK_UNAVAILABLE' });
      expect(await ledger(account)).toHaveLength(1);
    } finally {
      await database.query('drop function refuse_giving_back cascade');
    }
  });

  it('is spent by a live preview that timed out', async () => {
    const { consentId } = await registerMypos(gateway, outside, { timeoutMs: 1_000 });
    const account = await addMyposAccount(scene, consentId);
    await outside.mypos.addFault({ match: { account: account.number }, do: { kind: 'latency', ms: 3_000 } });
    const path = `/admin/accounts/${account.id}/preview`;
    expect(await gateway.ok('POST', path, { source: 'live' })).toMatchObject({ outcome: 'BANK_UNAVAILABLE' });
    expect(await ledger(account)).toHaveLength(1);
  });

  it('is spent by a read that timed out: the bank may have counted it', async () => {
    const { consentId } = await registerMypos(gateway, outside, { timeoutMs: 1_000 });
    const account = await addMyposAccount(scene, consentId);
    await spend(account, 3);
    await outside.mypos.addFault({ match: { account: account.number }, do: { kind: 'latency', ms: 3_000 } });
    expect(await readNow(gateway, [account])).toMatchObject([{ outcome: 'BANK_UNAVAILABLE' }]);
    expect(await ledger(account)).toHaveLength(4);
    expect(await lastRead(account)).toEqual(expect.any(Date));
  });
});

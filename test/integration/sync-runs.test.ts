import { openScheduledRun } from '../../src/sync/runs';
import {
  addMyposAccount,
  addOneSingleViewAccount,
  callsOf,
  oneSingleViewSays,
  readNow,
  type AddedAccount,
} from '../support/bank-accounts';
import { Outside, registerMypos, registerOneSingleView, TestGateway, type Json } from '../support/gateway';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

const AT = '2026-03-05T12:00:00.000Z';
const BEFORE = '2026-03-04T12:00:00.000Z';
const AFTER = '2026-03-06T12:00:00.000Z';

describe('runs, and the records they make', () => {
  let testDatabase: TestDatabase;
  let outside: Outside;
  let gateway: TestGateway;
  let scene: { gateway: TestGateway; outside: Outside };
  let osvConsent: string;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    outside = await Outside.start();
    gateway = await TestGateway.start(testDatabase, outside, { EQUIVALENT_CURRENCY: 'EUR' });
    scene = { gateway, outside };
    const agreement = { frequencyPerDay: 100, agreementReference: 'AG-1' };
    osvConsent = (await registerOneSingleView(gateway, outside, {}, agreement)).consentId;
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

  async function recordsOf(account: AddedAccount): Promise<Json[]> {
    await gateway.delivered();
    const records = await gateway.list(`/admin/records?accountId=${account.id}`);
    return Promise.all(
      records.map(({ communicationNumber }) => gateway.ok('GET', `/admin/records/${communicationNumber}`)),
    );
  }

  /** The account's series: revision, value and why each record supersedes the one before. */
  async function series(account: AddedAccount): Promise<unknown[]> {
    return testDatabase.database.query(
      `select revision, value, balance_at, supersedes_reason as why from record_with_state where account_id = $1 order by id`,
      [account.id],
    );
  }

  async function osvAccount(amount = '100.00', dateTime = AT): Promise<AddedAccount> {
    return addOneSingleViewAccount(scene, osvConsent, { amount, currency: 'EUR', dateTime });
  }

  const asTexts = (step: unknown): string[] => (Array.isArray(step) ? step.slice(1).map(String) : []);

  it('counts its accounts by outcome, and is finished only when each has one', async () => {
    const { consentId } = await registerMypos(gateway, outside);
    const accounts = [await addMyposAccount(scene, consentId), await addMyposAccount(scene, consentId)];
    const [slow] = accounts;
    await outside.mypos.addFault({
      match: { account: slow?.number ?? '', times: 1 },
      do: { kind: 'status', status: 503 },
    });
    const { runId, accounts: count } = await gateway.ok('POST', '/admin/resync', { consentId });
    expect(count).toBe(2);
    let run: Json;
    do run = await gateway.ok('GET', `/admin/runs/${runId}`);
    while (run.outcomes.READ !== 1);
    expect(run).toMatchObject({ status: 'running', finishedAt: null, accounts: 2, outcomes: { READ: 1 } });
    await testDatabase.database.query(`update waiting_account set due_at = now() where run_id = $1`, [runId]);
    run = await gateway.finished(runId);
    expect(run).toMatchObject({ accounts: 2, outcomes: { READ: 2 }, finishedAt: expect.any(String) });
    await gateway.delivered();
    expect(await gateway.ok('GET', `/admin/runs/${runId}`)).toMatchObject({ records: { accepted: 2 } });
  });

  it('explain each reading in sentences, and keep the figures alone once the words are known', async () => {
    const { consentId } = await registerMypos(gateway, outside);
    const account = await addMyposAccount(scene, consentId);
    await gateway.sync({ accountIds: [account.id] });
    await gateway.sync({ accountIds: [account.id] });
    const kept = await testDatabase.database.query<{ steps: unknown[] }>(
      'select steps from balance_reading where account_id = $1 order by id desc limit 1',
      [account.id],
    );
    expect(kept[0]?.steps.length).toBeGreaterThan(3);
    for (const step of kept[0]?.steps ?? []) expect(step).toEqual([expect.any(Number), ...asTexts(step)]);
    const [, latest] = await recordsOf(account);
    expect(latest?.steps).toHaveLength(kept[0]?.steps.length ?? 0);
    expect(latest?.steps).toContainEqual({
      rule: 'answer-belongs',
      text: expect.stringMatching(/^The answer names .+\.$/),
    });
  });

  it('of no account is finished at once', async () => {
    const { connectionId } = await registerMypos(gateway, outside);
    expect(await gateway.sync({ connectionId })).toMatchObject({ accounts: 0, outcomes: {} });
  });

  /** Two runs in which the account waits before either is worked on; what each came to. */
  async function inTwoRuns(account: AddedAccount, connectionId: string): Promise<[Json, Json]> {
    await testDatabase.database.query(
      `update access_subject set claimed_by = 'test', lease_until = now() + interval '1 hour' where provider_account_id = $1`,
      [account.number],
    );
    const first = await gateway.ok('POST', '/admin/resync', { accountIds: [account.id] });
    const second = await gateway.ok('POST', '/admin/resync', { connectionId });
    expect(second.runId).not.toBe(first.runId);
    await testDatabase.database.query(
      `update access_subject set claimed_by = null, lease_until = null where provider_account_id = $1`,
      [account.number],
    );
    return [await gateway.finished(first.runId), await gateway.finished(second.runId)];
  }

  it('reads an account that waits in two runs once; the second points to the reading of the first', async () => {
    const { connectionId, consentId } = await registerMypos(gateway, outside);
    const account = await addMyposAccount(scene, consentId);
    const [first, second] = await inTwoRuns(account, connectionId);
    expect([first.outcomes, second.outcomes]).toEqual([{ READ: 1 }, { ALREADY_READ: 1 }]);
    const [read] = await gateway.list(`/admin/readings?runId=${first.id}`);
    const [already] = await gateway.list(`/admin/readings?runId=${second.id}`);
    expect(already).toMatchObject({ outcome: 'ALREADY_READ', firstReadingId: read.id });
    expect(await callsOf(outside.mypos, account.number)).toBe(1);
  });

  it('says in each of two runs why an account that waits in both was not read, at one call at most', async () => {
    const { connectionId, consentId } = await registerMypos(gateway, outside);
    const account = await addMyposAccount(scene, consentId);
    const tpp = JSON.stringify({ tppMessages: [{ category: 'ERROR', code: 'CONSENT_EXPIRED' }] });
    const refusal = { kind: 'status', status: 401, body: tpp } as const;
    await outside.mypos.addFault({ match: { account: account.number }, do: refusal });
    // Refused by the bank, and then not asked any more.
    for (let round = 0; round < 2; round += 1) {
      const [first, second] = await inTwoRuns(account, connectionId);
      expect([first.outcomes, second.outcomes]).toEqual([{ CONSENT_REQUIRED: 1 }, { CONSENT_REQUIRED: 1 }]);
      const [refused] = await gateway.list(`/admin/readings?runId=${first.id}`);
      const [same] = await gateway.list(`/admin/readings?runId=${second.id}`);
      expect(same).toMatchObject({
        outcome: 'CONSENT_REQUIRED',
        reason: refused.reason,
        firstReadingId: refused.id,
      });
    }
    expect(await callsOf(outside.mypos, account.number)).toBe(1);
  });

  it('is joined by a resync of the same scope while it goes on, not by one with force, and not once all is read', async () => {
    const account = await osvAccount();
    const hold = (until: string): Promise<unknown> =>
      testDatabase.database.query(
        `update access_subject set claimed_by = 'test', lease_until = ${until} where provider_account_id = $1`,
        [account.number],
      );
    await hold(`now() + interval '1 hour'`);
    const scope = { accountIds: [account.id] };
    const first = await gateway.ok('POST', '/admin/resync', scope);
    expect(await gateway.ok('POST', '/admin/resync', scope)).toEqual(first);
    const forced = await gateway.ok('POST', '/admin/resync', { ...scope, force: true, reason: 'AMLYZE lost it' });
    expect(forced.runId).not.toBe(first.runId);
    await hold(`now() - interval '1 second'`);
    await gateway.finished(first.runId);
    // As if the poll that writes down the end were still to come.
    await testDatabase.database.query(`update sync_run set finished_at = null where id = $1`, [first.runId]);
    expect((await gateway.ok('POST', '/admin/resync', scope)).runId).not.toBe(first.runId);
  });

  it('makes no record of the same value and instant, however the bank writes the value', async () => {
    const account = await osvAccount('100.0');
    await readNow(gateway, [account]);
    await oneSingleViewSays(outside, account.number, { amount: '100.00', currency: 'EUR', dateTime: AT });
    const [reading] = await readNow(gateway, [account]);
    const [record, ...others] = await recordsOf(account);
    expect(others).toEqual([]);
    expect(reading).toMatchObject({ outcome: 'READ', communicationNumber: record.communicationNumber });
  });

  it('makes a revision of a restated balance, which names what it supersedes', async () => {
    const account = await osvAccount('100.00');
    await readNow(gateway, [account]);
    await oneSingleViewSays(outside, account.number, { amount: '90.00', currency: 'EUR', dateTime: AT });
    await readNow(gateway, [account]);
    const [first, second] = await recordsOf(account);
    expect(second).toMatchObject({
      value: '90.00',
      state: 'accepted',
      revision: 2,
      supersedes: first.communicationNumber,
      supersedesReason: 'bank-restatement',
    });
  });

  it('says that our settings changed where they did', async () => {
    const { connectionId, consentId } = await registerOneSingleView(gateway, outside);
    const balance = { amount: '100.00', currency: 'EUR', dateTime: AT };
    const account = await addOneSingleViewAccount(scene, consentId, balance);
    const creditLine = [{ included: true, amount: '40.00', currency: 'EUR' }];
    await oneSingleViewSays(outside, account.number, { ...balance, ...{ creditLine } });
    await readNow(gateway, [account]);
    await gateway.ok('PATCH', `/admin/connections/${connectionId}`, { settings: { creditLine: 'as-reported' } });
    await readNow(gateway, [account]);
    expect(await series(account)).toMatchObject([
      { revision: 1, value: '60.00', why: null },
      { revision: 2, value: '100.00', why: 'settings-changed' },
    ]);
  });

  it('does not send an older instant than AMLYZE has', async () => {
    const account = await osvAccount('100.00', AT);
    await readNow(gateway, [account]);
    await gateway.delivered();
    await oneSingleViewSays(outside, account.number, { amount: '80.00', currency: 'EUR', dateTime: BEFORE });
    expect(await readNow(gateway, [account])).toMatchObject([{ outcome: 'OLDER_THAN_SENT' }]);
    await oneSingleViewSays(outside, account.number, { amount: '110.00', currency: 'EUR', dateTime: AFTER });
    expect(await readNow(gateway, [account])).toMatchObject([{ outcome: 'READ' }]);
    expect(await series(account)).toMatchObject([{ value: '100.00' }, { value: '110.00', revision: 1 }]);
  });

  it('tells of a reading of two balances the time and the number of the same one', async () => {
    const balanceTypes = [
      { type: 'ClosingBooked', code: 'STATEMENT_BALANCE' },
      { type: 'InterimAvailable', code: 'DAILY_BALANCE' },
    ];
    const { consentId } = await registerOneSingleView(gateway, outside, { balanceTypes });
    const booked = { amount: '100.00', currency: 'EUR', dateTime: AT, type: 'KSAOB.ClosingBooked' };
    const available = { ...booked, amount: '70.00', type: 'KSAOB.InterimAvailable' };
    const account = await addOneSingleViewAccount(scene, consentId, booked);
    await oneSingleViewSays(outside, account.number, booked, available);
    await readNow(gateway, [account]);
    await gateway.delivered();
    await oneSingleViewSays(
      outside,
      account.number,
      { ...booked, dateTime: BEFORE },
      { ...available, dateTime: AFTER },
    );
    const [reading] = await readNow(gateway, [account]);
    const { communicationNumber } = (await recordsOf(account)).at(-1);
    expect(reading).toMatchObject({
      outcome: 'OLDER_THAN_SENT',
      reason: expect.stringContaining(BEFORE),
      balanceAt: AFTER,
      communicationNumber,
    });
    expect((await gateway.ok('GET', `/admin/accounts/${account.id}`)).lastReading).toMatchObject({
      balanceAt: AFTER,
      communicationNumber,
    });
  });

  it("sends a balance that did not change to the account's new accountExtId, once", async () => {
    const account = await osvAccount();
    const rename = (accountExtId: string): Promise<Json> =>
      gateway.ok('PATCH', `/admin/accounts/${account.id}`, { accountExtId, reason: 'a slip' });
    const slip = `${account.number}-slip`;
    await rename(slip);
    await readNow(gateway, [account]);
    await gateway.delivered();
    await rename(account.number);
    const [reading] = await readNow(gateway, [account]);
    await readNow(gateway, [account]);
    const [rejected, accepted, ...more] = await recordsOf(account);
    expect(more).toEqual([]);
    expect(rejected).toMatchObject({ accountExtId: slip, state: 'rejected' });
    expect(accepted).toMatchObject({
      accountExtId: account.number,
      state: 'accepted',
      value: '100.00',
      supersedes: rejected.communicationNumber,
      supersedesReason: 'settings-changed',
    });
    expect(reading).toMatchObject({ outcome: 'READ', communicationNumber: accepted.communicationNumber });
    expect(accepted.steps).toContainEqual({
      rule: 'record',
      text: `${rejected.communicationNumber} is for ${slip}, and AMLYZE has this account as ${account.number} from now on`,
    });
  });

  it('holds nothing back from an account of AMLYZE because another of its accounts has a newer balance', async () => {
    const account = await osvAccount('100.00', AT);
    await readNow(gateway, [account]);
    await gateway.delivered();
    const accountExtId = `${account.number}-moved`;
    await outside.amlyze.putAccounts([{ accountExtId, currency: 'EUR' }]);
    await gateway.ok('PATCH', `/admin/accounts/${account.id}`, { accountExtId, reason: 'AMLYZE has it anew' });
    await oneSingleViewSays(outside, account.number, { amount: '80.00', currency: 'EUR', dateTime: BEFORE });
    expect(await readNow(gateway, [account])).toMatchObject([{ outcome: 'READ' }]);
    expect((await recordsOf(account)).map((record) => [record.accountExtId, record.value, record.state])).toEqual([
      [account.number, '100.00', 'accepted'],
      [accountExtId, '80.00', 'accepted'],
    ]);
  });

  it('forces one new record a run and account, for a reason that stays with the run', async () => {
    const account = await osvAccount();
    await readNow(gateway, [account]);
    const reason = 'AMLYZE lost the records of 5 March';
    expect(await gateway.call('POST', '/admin/resync', { accountIds: [account.id], force: true })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'reason' }] },
    });
    await outside.onesingleview.addFault({
      match: { account: account.number, times: 1 },
      do: { kind: 'status', status: 503, body: '' },
    });
    const { runId } = await gateway.ok('POST', '/admin/resync', { accountIds: [account.id], force: true, reason });
    let tries = 0;
    while (tries === 0) {
      const [row] = await testDatabase.database.query<{ tries: number }>(
        'update waiting_account set due_at = now() where run_id = $1 and tries = 1 returning tries',
        [runId],
      );
      tries = row?.tries ?? 0;
    }
    expect(await gateway.finished(runId)).toMatchObject({ force: true, reason, outcomes: { READ: 1 } });
    expect(await series(account)).toMatchObject([
      { revision: 1, why: null },
      { revision: 2, why: 'forced', value: '100.00' },
    ]);
    await readNow(gateway, [account]);
    expect(await series(account)).toHaveLength(2);
  });

  it('keeps to the pinned type: a series is not continued with another, until an operator pins anew', async () => {
    const account = await osvAccount();
    const booked = { amount: '100.00', currency: 'EUR', dateTime: AT, type: 'KSAOB.ClosingBooked' };
    const available = { ...booked, amount: '70.00', type: 'KSAOB.InterimAvailable' };
    await readNow(gateway, [account]);
    await oneSingleViewSays(outside, account.number, available);
    const [refused] = await readNow(gateway, [account]);
    expect(refused).toMatchObject({ outcome: 'NO_ELIGIBLE_BALANCE', reason: expect.stringContaining('ClosingBooked') });
    await gateway.ok('PATCH', `/admin/accounts/${account.id}`, { pinnedType: 'InterimAvailable', reason: 'asked for' });
    expect(await readNow(gateway, [account])).toMatchObject([{ outcome: 'READ' }]);
    expect(await series(account)).toMatchObject([
      { value: '100.00', why: null },
      { value: '70.00', why: 'settings-changed' },
    ]);
    await oneSingleViewSays(outside, account.number, booked, available);
    await readNow(gateway, [account]);
    expect(await series(account)).toHaveLength(2);
  });

  it('adds the equivalent value where a rate was loaded, and leaves it out where none was', async () => {
    const today = new Date().toISOString().slice(0, 10);
    const rates = [{ base: 'EUR', quote: 'PLN', date: today, rate: '4.25', source: 'ECB' }];
    await gateway.ok('PUT', '/admin/rates', { rates });
    const { consentId } = await registerMypos(gateway, outside);
    const accounts = [
      await addMyposAccount(scene, consentId, { amount: '100.00', currency: 'PLN' }),
      await addMyposAccount(scene, consentId, { amount: '100.00', currency: 'CZK' }),
      await addMyposAccount(scene, consentId, { amount: '-7.5', currency: 'EUR' }),
    ];
    await readNow(gateway, accounts);
    await gateway.delivered();
    const sent = await Promise.all(accounts.map(({ accountExtId }) => outside.amlyze.ledger(accountExtId)));
    expect(sent.map(([entry]) => [entry?.value, entry?.equivalentValue])).toEqual([
      ['100.00', '23.53'],
      ['100.00', undefined],
      ['-7.5', '-7.5'],
    ]);
  });

  it('of a second slot makes new records for myPOS and none for an unchanged OneSingleView balance', async () => {
    const { consentId } = await registerMypos(gateway, outside);
    const mypos = await addMyposAccount(scene, consentId);
    const osv = await osvAccount();
    const openSlot = async (): Promise<Json> => {
      const [row] = await testDatabase.database.query<{ now: Date }>('select now() as now');
      const run = await openScheduledRun(testDatabase.database, row?.now ?? new Date());
      return gateway.finished(run?.runId ?? 'none');
    };
    const first = await openSlot();
    await gateway.delivered();
    const second = await openSlot();
    expect(second).toMatchObject({ trigger: 'schedule', scope: { all: true } });
    await gateway.delivered();
    expect(await series(mypos)).toMatchObject([{ revision: 1 }, { revision: 1 }]);
    expect(await series(osv)).toHaveLength(1);
    const numbers = (await recordsOf(mypos)).map(({ communicationNumber }) => communicationNumber);
    expect(new Set(numbers).size).toBe(2);
    expect(second.accounts).toBe(first.accounts);
  });
});

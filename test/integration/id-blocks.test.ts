import {
  addMyposAccount,
  addOneSingleViewAccount,
  hastenRepeats,
  oneSingleViewSays,
  readNow,
  type AddedAccount,
} from '../support/bank-accounts';
import { eventually } from '../support/eventually';
import { Outside, registerMypos, registerOneSingleView, TestGateway } from '../support/gateway';
import { giveState, settledAs } from '../support/give-state';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

const AT = '2026-03-05T12:00:00Z';
const BEFORE = '2026-03-04T12:00:00Z';

/** More than the ids of one block: what comes next is in another one, with empty ones in between. */
const AHEAD = 600_000;

describe('a history of several blocks of ids', () => {
  let testDatabase: TestDatabase;
  let outside: Outside;
  let gateway: TestGateway;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    outside = await Outside.start();
    gateway = await TestGateway.start(testDatabase, outside);
  });

  afterAll(async () => {
    await gateway.close();
    await outside.close();
    await testDatabase.drop();
  });

  async function nextBlock(): Promise<void> {
    for (const table of ['balance_reading', 'amlyze_record']) {
      await testDatabase.database.query(
        `select setval(pg_get_serial_sequence('${table}', 'id'), (select coalesce(max(id), 0) from ${table}) + ${AHEAD})`,
      );
    }
  }

  async function readInThreeBlocks(): Promise<{ account: AddedAccount; stranger: AddedAccount }> {
    const { consentId } = await registerMypos(gateway, outside);
    const scene = { gateway, outside };
    const [account, stranger] = [await addMyposAccount(scene, consentId), await addMyposAccount(scene, consentId)];
    for (let block = 0; block < 3; block += 1) {
      await readNow(gateway, [account, stranger]);
      await gateway.delivered();
      await nextBlock();
    }
    return { account, stranger };
  }

  /** The items of a list, asked for in pages of this many. */
  async function inPages(path: string, limit: number): Promise<{ accountId: string }[]> {
    const items: { accountId: string }[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const answer = await gateway.ok('GET', `${path}&limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`);
      items.push(...answer.items);
      cursor = answer.nextCursor;
    }
    return items;
  }

  it.each([
    ['readings', ''],
    ['readings', '&outcome=READ'],
    ['records', ''],
    ['records', '&state=accepted'],
  ])('lists the %s of an account in the order of their ids, from page to page: %j', async (list, filter) => {
    const { account } = await readInThreeBlocks();
    const whole = (await gateway.list(`/admin/${list}`)).filter((item) => item.accountId === account.id);
    expect(whole).toHaveLength(3);
    for (const limit of [1, 2, 3, 4]) {
      expect(await inPages(`/admin/${list}?accountId=${account.id}${filter}`, limit)).toEqual(whole);
    }
  });

  it('shows the last reading, the last accepted record and what a preview recalls', async () => {
    const { account } = await readInThreeBlocks();
    const [, , last] = await gateway.list(`/admin/readings?accountId=${account.id}`);
    expect(await gateway.ok('GET', `/admin/accounts/${account.id}`)).toMatchObject({
      lastReading: { id: last.id, communicationNumber: last.communicationNumber },
      lastAcceptedRecord: { communicationNumber: last.communicationNumber },
    });
    const preview = await gateway.ok('POST', `/admin/accounts/${account.id}/preview`, { source: 'stored' });
    expect(preview.fetchedAt).toBe(last.fetchedAt);
  });

  it('shows the accepted record of the latest instant, although one of a later block was accepted too', async () => {
    const { account } = await readInThreeBlocks();
    const [, , last] = await gateway.list(`/admin/records?accountId=${account.id}`);
    await testDatabase.database.query(
      `insert into amlyze_record (communication_number, kind, account_id, account_ext_id, balance_type, balance_at, value, payload)
values ($1, 'balance', $2, $3, 'STATEMENT_BALANCE', $4::timestamptz - interval '1 day', 1, '{}')`,
      [`older-${account.id}`, account.id, account.accountExtId, last.balanceAt],
    );
    await giveState(testDatabase.database, settledAs());
    expect(await gateway.list(`/admin/records?accountId=${account.id}`)).toHaveLength(4);
    const { lastAcceptedRecord } = await gateway.ok('GET', `/admin/accounts/${account.id}`);
    expect(lastAcceptedRecord.communicationNumber).toBe(last.communicationNumber);
  });

  it('sends no balance that is older than one of an earlier block', async () => {
    const { consentId } = await registerOneSingleView(gateway, outside);
    const balance = { amount: '100.00', currency: 'EUR', dateTime: AT };
    const account = await addOneSingleViewAccount({ gateway, outside }, consentId, balance);
    await readNow(gateway, [account]);
    const [sent] = (await gateway.delivered()).filter((record) => record.accountId === account.id);
    await nextBlock();
    await readInThreeBlocks();
    await oneSingleViewSays(outside, account.number, { ...balance, dateTime: BEFORE });
    const [reading] = await readNow(gateway, [account]);
    expect(reading).toMatchObject({
      outcome: 'OLDER_THAN_SENT',
      reason: expect.stringContaining(`STATEMENT_BALANCE of ${sent.balanceAt}`),
    });
  });

  it('tells an operator of a newer record of another block', async () => {
    const { account } = await readInThreeBlocks();
    const [first, second, third] = await gateway.list(`/admin/records?accountId=${account.id}`);
    await testDatabase.database.query(
      `update record_state set state = 'held', reason = 'x' where record_id in (select id from amlyze_record where communication_number = any($1))`,
      [[first.communicationNumber, third.communicationNumber]],
    );
    const path = (number: string): string => `/admin/records/${number}/requeue`;
    expect(await gateway.call('POST', path(first.communicationNumber), { reason: 'x' })).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining(second.communicationNumber) },
    });
    expect((await gateway.call('POST', path(third.communicationNumber), { reason: 'x' })).status).toBe(200);
  });

  it('remembers how the first try of a read failed, whose repeat comes in another block', async () => {
    const { consentId } = await registerMypos(gateway, outside);
    const account = await addMyposAccount({ gateway, outside }, consentId);
    await readNow(gateway, [account]);
    await nextBlock();
    await outside.mypos.addFault({ match: { account: account.number }, do: { kind: 'status', status: 503, body: '' } });
    const { runId } = await gateway.ok('POST', '/admin/resync', { accountIds: [account.id] });
    const path = `/admin/readings?accountId=${account.id}`;
    const first = await eventually('the first try is over', async () => (await gateway.list(path))[1]);
    await nextBlock();
    await gateway.ok('PATCH', `/admin/consents/${consentId}`, { frequencyPerDay: 3 });
    await hastenRepeats(testDatabase);
    await gateway.finished(runId);
    expect((await gateway.list(path)).slice(2)).toMatchObject([
      {
        outcome: 'BANK_UNAVAILABLE',
        reason: `${first.reason}; not repeated with the last read of the consent's window`,
      },
    ]);
  });
});

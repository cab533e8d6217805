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

const AT = '2026-03-05T12:00:00Z';
const AFTER = '2026-03-05T18:00:00Z';

describe('a preview', () => {
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

  afterEach(() => outside.mypos.clearFaults());

  const preview = ({ id }: AddedAccount, source: 'live' | 'stored'): Promise<Json> =>
    gateway.ok('POST', `/admin/accounts/${id}/preview`, { source });
  const refused = async ({ id }: AddedAccount): Promise<Json> => {
    const answer = await gateway.call('POST', `/admin/accounts/${id}/preview`, { source: 'live' });
    expect(answer.status).toBe(409);
    return answer.body;
  };

  describe('of a balance that no read would send', () => {
    async function osvAccount(amount: string): Promise<AddedAccount> {
      const { consentId } = await registerOneSingleView(gateway, outside);
      return addOneSingleViewAccount(scene, consentId, { amount, currency: 'SAR', dateTime: AT });
    }
    const says = ({ number }: AddedAccount, amount: string, dateTime: string): Promise<void> =>
      oneSingleViewSays(outside, number, { amount, currency: 'SAR', dateTime });
    const explained = (number: string): Promise<Json> => gateway.ok('GET', `/admin/records/${number}`);

    async function read(account: AddedAccount, amount: string, dateTime: string): Promise<string> {
      await says(account, amount, dateTime);
      const [reading] = await readNow(gateway, [account]);
      await gateway.delivered();
      return reading.communicationNumber;
    }

    it('shows the bytes that its record holds, not those that would be made of it now', async () => {
      const account = await osvAccount('100.0');
      const number = await read(account, '100.0', AT);
      await says(account, '100.00', AT);
      const { record } = await preview(account, 'live');
      const { frozenRequest } = await explained(number);
      expect(record).toMatchObject({ disposition: 'unchanged', communicationNumber: number, value: '100.0' });
      expect(record.frozenRequest).toBe(frozenRequest);
    });

    it('shows under the next number what differs from the record of its time, though AMLYZE has a newer one', async () => {
      const account = await osvAccount('100.4');
      const first = await read(account, '100.4', AT);
      const second = await read(account, '100.5', AT);
      const newest = await read(account, '200', AFTER);
      await says(account, '100.51', AT);
      const { record } = await preview(account, 'live');
      expect(record).toMatchObject({ disposition: 'older-than-sent', value: '100.51', balanceAt: expect.any(String) });
      expect([first, second, newest]).not.toContain(record.communicationNumber);
      expect(JSON.parse(record.frozenRequest)).toMatchObject({
        communicationNumber: record.communicationNumber,
        value: 100.51,
      });
    });

    it('shows the record of its time where AMLYZE has that and a newer one', async () => {
      const account = await osvAccount('7.0');
      const first = await read(account, '7.0', AT);
      await read(account, '8', AFTER);
      await says(account, '7.00', AT);
      const { record } = await preview(account, 'live');
      const { frozenRequest } = await explained(first);
      expect(record).toMatchObject({ disposition: 'older-than-sent', communicationNumber: first, frozenRequest });
    });
  });

  it('of what is stored passes over a refusal that came with status 200', async () => {
    const { consentId } = await registerOneSingleView(gateway, outside);
    const account = await addOneSingleViewAccount(scene, consentId, { amount: '12.50', currency: 'SAR', dateTime: AT });
    const [{ communicationNumber }] = await readNow(gateway, [account]);
    const body = JSON.stringify({ status: 'FAILURE', errorCode: 'APIERR400', message: 'Selected bank not available' });
    await outside.onesingleview.addFault({
      match: { account: account.number, times: 1 },
      do: { kind: 'status', status: 200, body },
    });
    expect(await readNow(gateway, [account])).toMatchObject([{ outcome: 'BANK_ERROR' }]);
    const { outcome, bankPayload, record } = await preview(account, 'stored');
    expect(outcome).toBe('READ');
    expect(bankPayload).toContain('12.50');
    expect(record).toMatchObject({ disposition: 'unchanged', communicationNumber, value: '12.50' });
  });

  describe('that asks the bank', () => {
    it('waits for its turn in the pace of the connection, and says until when', async () => {
      const { consentId } = await registerMypos(gateway, outside, { requestsPerSecond: 0.01 });
      const account = await addMyposAccount(scene, consentId);
      const startedAt = Date.now();
      expect(await preview(account, 'live')).toMatchObject({ outcome: 'READ' });
      const { detail, outcome, nextReadAt } = await refused(account);
      expect(outcome).toBe('RATE_LIMITED');
      expect(detail).toContain(`requestsPerSecond is used up, the next call may start at ${nextReadAt}`);
      expect(Date.parse(nextReadAt)).toBeGreaterThan(startedAt + 90_000);
      expect(await callsOf(outside.mypos, account.number)).toBe(1);
      expect(await gateway.ok('GET', `/admin/consents/${consentId}`)).toMatchObject({ readsLeft: 3 });
    });

    it('leaves a bank alone whose breaker is open, says until when, and asks it once a probe may', async () => {
      const { connectionId, consentId } = await registerMypos(gateway, outside);
      const account = await addMyposAccount(scene, consentId);
      const opened = (openFor: string, probedFor: string | null): Promise<unknown> =>
        testDatabase.database.query(
          `insert into connection_health (connection_id, unavailable_in_row, failed_in_row, last_reason, open_since, open_until, probe_until)
values ($1, 5, 5, 'status 503', now(), now() + $2::interval, now() + $3::interval)
on conflict (connection_id) do update set open_until = excluded.open_until, probe_until = excluded.probe_until`,
          [connectionId, openFor, probedFor],
        );
      for (const [openFor, probedFor] of [['1 hour', null] as const, ['-1 s', '1 hour'] as const]) {
        await opened(openFor, probedFor);
        const { detail, outcome, nextReadAt } = await refused(account);
        expect(outcome).toBe('BANK_UNAVAILABLE');
        expect(detail).toContain(`5 times in a row, last: status 503; it may be asked again at ${nextReadAt}`);
        expect(Date.parse(nextReadAt)).toBeGreaterThan(Date.now() + 3_500_000);
      }
      expect(await callsOf(outside.mypos, account.number)).toBe(0);
      expect(await gateway.ok('GET', `/admin/consents/${consentId}`)).toMatchObject({ readsLeft: 4 });
      await opened('-1 s', null);
      expect(await preview(account, 'live')).toMatchObject({ outcome: 'READ' });
    });

    it('keeps the wait that the bank asks for, for reads too', async () => {
      const { connectionId, consentId } = await registerMypos(gateway, outside);
      const account = await addMyposAccount(scene, consentId);
      const headers = { 'Retry-After': '3600' };
      await outside.mypos.addFault({
        match: { account: account.number },
        do: { kind: 'status', status: 429, body: '{}', headers },
      });
      const startedAt = Date.now();
      expect(await preview(account, 'live')).toMatchObject({ outcome: 'RATE_LIMITED' });
      const [reading] = await readNow(gateway, [account]);
      expect(reading.outcome).toBe('RATE_LIMITED');
      expect(Date.parse(reading.nextReadAt)).toBeGreaterThan(startedAt + 3_500_000);
      expect((await refused(account)).outcome).toBe('RATE_LIMITED');
      expect(await callsOf(outside.mypos, account.number)).toBe(1);
      expect(await gateway.ok('GET', `/admin/connections/${connectionId}`)).toMatchObject({ status: 'active' });
    });

    it.each([
      ['consent', 401, 'CONSENT_INVALID', 'CONSENT_REQUIRED'],
      ['certificate', 401, 'CERTIFICATE_EXPIRED', 'CERTIFICATE_PROBLEM'],
    ])(
      'stops nothing for a refused %s: a read does, and an operator who looks changes nothing',
      async (_, ...refusal) => {
        const [status, code, outcome] = refusal;
        const { connectionId, consentId } = await registerMypos(gateway, outside);
        const account = await addMyposAccount(scene, consentId);
        const body = JSON.stringify({ tppMessages: [{ category: 'ERROR', code, text: 'told to' }] });
        await outside.mypos.addFault({
          match: { account: account.number, times: 1 },
          do: { kind: 'status', status, body },
        });
        expect(await preview(account, 'live')).toMatchObject({ outcome, bankPayload: body });
        expect(await gateway.ok('GET', `/admin/connections/${connectionId}`)).toMatchObject({ status: 'active' });
        expect(await readNow(gateway, [account])).toMatchObject([{ outcome: 'READ' }]);
      },
    );
  });
});

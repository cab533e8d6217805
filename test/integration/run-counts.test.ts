import { countSettledRuns, forgetCount } from '../../src/sync/count-runs';
import { addMyposAccount, type AddedAccount } from '../support/bank-accounts';
import { Outside, registerMypos, TestGateway, type Json } from '../support/gateway';
import { OutboxSetting } from '../support/outbox-setting';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

/** The look that finds no more runs is counted as well. */
const LOOKED_IN_VAIN = 1;

/** A finished run's records are counted once; the count has to be what a count of now would be. */
describe('records of a run by state', () => {
  let testDatabase: TestDatabase;
  let outside: Outside;
  let gateway: TestGateway;
  let consentId: string;
  let accounts: AddedAccount[];

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    outside = await Outside.start();
    gateway = await TestGateway.start(testDatabase, outside);
    ({ consentId } = await registerMypos(gateway, outside, {}, { frequencyPerDay: 100, agreementReference: 'AG-1' }));
    accounts = [];
    for (let n = 0; n < 3; n += 1) accounts.push(await addMyposAccount({ gateway, outside }, consentId));
  });

  afterAll(async () => {
    await gateway.close();
    await outside.close();
    await testDatabase.drop();
  });

  async function settledRun(): Promise<string> {
    const { runId } = await gateway.ok('POST', '/admin/resync', { all: true });
    await gateway.finished(runId);
    await gateway.delivered();
    return runId;
  }

  const stored = async (runId: string): Promise<unknown> =>
    (await testDatabase.database.query<{ records: unknown }>('select records from sync_run where id = $1', [runId]))[0]
      ?.records;
  const shown = async (runId: string): Promise<Json> => (await gateway.ok('GET', `/admin/runs/${runId}`)).records;

  async function rejectedRecord(runId: string): Promise<string> {
    const [record] = await gateway.list(`/admin/records?runId=${runId}&state=rejected`);
    return record.communicationNumber;
  }

  it('are written down once all of them are settled, and again after an operator has changed one', async () => {
    const words = { errorCode: '001', errorDescription: 'no' };
    await outside.amlyze.addFault({
      match: { account: accounts[0]?.accountExtId ?? '' },
      do: { kind: 'reject-items', ...words },
    });
    const runId = await settledRun();
    expect(await stored(runId)).toBeNull();
    await countSettledRuns(testDatabase.database);
    expect(await stored(runId)).toEqual({ accepted: 2, rejected: 1 });
    expect(await shown(runId)).toEqual({ accepted: 2, rejected: 1 });

    await outside.amlyze.clearFaults();
    const number = await rejectedRecord(runId);
    await gateway.ok('POST', `/admin/records/${number}/requeue`, { reason: 'the tenant is set up now' });
    expect(await stored(runId)).toBeNull();
    await gateway.delivered();
    expect(await shown(runId)).toEqual({ accepted: 3 });
    await countSettledRuns(testDatabase.database);
    expect(await stored(runId)).toEqual({ accepted: 3 });
  });

  it('are counted anew for each look while one is under way', async () => {
    const runId = await settledRun();
    await testDatabase.database.query(
      `update record_state set state = 'pending', settled_at = null, next_attempt_at = now() + interval '1 hour'
where record_id = (select max(id) from record_with_state where run_id = $1)`,
      [runId],
    );
    // All the runs before are counted, and this one is not even looked at: it may be large, and wait for days.
    expect(await countSettledRuns(testDatabase.database)).toBe(LOOKED_IN_VAIN);
    expect(await stored(runId)).toBeNull();
    expect(await shown(runId)).toEqual({ accepted: 2, pending: 1 });
    await testDatabase.database.query(`update record_state set next_attempt_at = now() where state = 'pending'`);
    await gateway.delivered();
  });

  it('are not written down while an older one is open, though the newest is settled', async () => {
    const runId = await settledRun();
    const { database } = testDatabase;
    const oldest = '(select min(record_id) from record_state where run_id = $1)';
    await database.query(
      `update record_state set state = 'pending', settled_at = null, next_attempt_at = now() + interval '1 hour' where record_id = ${oldest}`,
      [runId],
    );
    await countSettledRuns(database);
    expect(await stored(runId)).toBeNull();
    await database.query(
      `update record_state set state = 'accepted', settled_at = now(), next_attempt_at = null where state = 'pending'`,
    );
    await countSettledRuns(database);
    expect(await stored(runId)).toEqual({ accepted: 3 });
  });

  it('are none where the run brought none', async () => {
    const { id } = await addMyposAccount({ gateway, outside }, consentId);
    await gateway.ok('DELETE', `/admin/accounts/${id}`);
    const { runId } = await gateway.ok('POST', '/admin/resync', { accountIds: [id] });
    await gateway.finished(runId);
    await countSettledRuns(testDatabase.database);
    expect(await stored(runId)).toEqual({});
  });

  it('are left alone while somebody holds the run', async () => {
    const runId = await settledRun();
    await testDatabase.database.transaction(async (tx) => {
      await tx.query('update sync_run set records = null where id = $1', [runId]);
      await countSettledRuns(testDatabase.database);
    });
    expect(await stored(runId)).toBeNull();
    await countSettledRuns(testDatabase.database);
    expect(await stored(runId)).toEqual({ accepted: 3 });
  });
});

describe('the count of a run that is not over', () => {
  const outbox = new OutboxSetting();

  it('waits for the commit of an operator who changes one of its records, should it end meanwhile', async () => {
    const [run] = await outbox
      .db()
      .query<{ id: string }>(
        `insert into sync_run (trigger, scope, reason) values ('resync', '{}', 'test') returning id`,
      );
    const runId = run?.id ?? '';
    await outbox.rows.enqueue(await outbox.rows.accounts(1), { runId });
    await outbox.settleAll(await outbox.mustClaim(), { state: 'rejected', reason: 'BUSINESS_REJECTION' });
    const { id } = await outbox.rows.one();
    await outbox.db().transaction(async (tx) => {
      await forgetCount(tx, id);
      const free = `select from sync_run where id = $1 for no key update skip locked`;
      expect(await outbox.db().query(free, [runId])).toEqual([]);
    });
  });
});

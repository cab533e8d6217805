import { enqueueBalances, findKeyStates, type AskedKey } from '../../../src/outbox/enqueue';
import { claimDue } from '../../../src/outbox/claim';
import type { Queryable } from '../../../src/shared/database';
import { eventually } from '../../support/eventually';
import { numbersOf, OutboxSetting, REQUEST } from '../../support/outbox-setting';

const OLDER = '2026-03-05T11:00:00.000Z';
const NEWER = '2026-03-05T12:00:00.000Z';
const NEWEST = '2026-03-05T13:00:00.000Z';

describe('a balance that comes after a newer one of its series was recorded', () => {
  const outbox = new OutboxSetting();
  const { db, claim, mustClaim, settleAll } = outbox;
  let accounts: string[];
  let newer: string;

  beforeEach(async () => {
    accounts = await outbox.rows.accounts(1);
    [newer = ''] = await outbox.rows.enqueue(accounts, { balanceAt: NEWER });
    await outbox.rows.enqueue(accounts, { balanceAt: NEWEST });
  });

  const older = (): AskedKey => ({
    accountId: accounts[0] ?? '',
    balanceType: 'STATEMENT_BALANCE',
    balanceAt: OLDER,
    key: OLDER,
  });

  /** What the planning of a reading sees, in its transaction. */
  async function newerSent(tx: Queryable): Promise<string | undefined> {
    const [known] = await findKeyStates(tx, [older()], 'record');
    return known?.newerSentAt?.toISOString();
  }

  async function record(tx: Queryable): Promise<void> {
    const [{ id = '' } = {}] = await tx.query<{ id: string }>(
      `insert into balance_reading (account_id, outcome) values ($1, 'READ') returning id`,
      accounts,
    );
    await enqueueBalances(tx, [
      {
        ...older(),
        communicationNumber: 'older',
        accountExtId: 'A1',
        businessUnit: undefined,
        readingId: id,
        runId: undefined,
        value: '1.00',
        revision: 1,
        supersedes: undefined,
        payload: '{}',
        settingsHash: 'settings',
      },
    ]);
  }

  const somebodyWaits = (): Promise<unknown> =>
    eventually('a session waits for a lock', async () => {
      const rows = await db().query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length > 0;
    });

  test('goes out first: nothing of its series is claimed between the look and the commit', async () => {
    await db().transaction(async (tx) => {
      expect(await newerSent(tx)).toBeUndefined();
      expect(await claim()).toBeUndefined();
      await record(tx);
    });
    const batch = await mustClaim();
    expect(numbersOf(batch)).toEqual(['older']);
    await settleAll(batch);
    expect(numbersOf(await claim())).toEqual([newer]);
  });

  test('leaves the newer one not due at its commit, for a claim that began before and cannot see what it is behind', async () => {
    await db().transaction(async (tx) => {
      await newerSent(tx);
      await record(tx);
    });
    expect(Number((await outbox.rows.one(newer)).due_in_ms)).toBeGreaterThan(0);
  });

  test('is older than what was sent where a claim was faster, and waits for that claim to know', async () => {
    const planned = await db().transaction(async (claimer) => {
      expect(numbersOf(await claimDue(claimer, REQUEST))).toEqual([newer]);
      const looked = db().transaction(newerSent);
      await somebodyWaits();
      return { looked };
    });
    expect(await planned.looked).toBe(NEWER);
    expect(await outbox.rows.one(newer)).toMatchObject({ state: 'sending' });
  });

  test('holds nothing back that is about another account or type, or older', async () => {
    const [other] = await outbox.rows.accounts(1, 'B');
    const free = [
      ...(await outbox.rows.enqueue(accounts, { balanceAt: NEWER, balanceType: 'DAILY_BALANCE' })),
      ...(await outbox.rows.enqueue([other ?? ''], { balanceAt: NEWER })),
      ...(await outbox.rows.enqueue(accounts, { balanceAt: '2026-03-05T10:00:00.000Z' })),
    ].sort();
    await db().transaction(newerSent);
    expect(numbersOf(await claim())).toEqual(free);
  });

  test('holds nothing back for a mere look', async () => {
    await findKeyStates(db(), [older()], 'look');
    expect(numbersOf(await claim())).toEqual([newer]);
  });
});

import { findKeyStates } from '../../../src/outbox/enqueue';
import { OutboxSetting, numbersOf } from '../../support/outbox-setting';
import { giveState } from '../../support/give-state';

describe('the outbox, within an account and balance type', () => {
  const outbox = new OutboxSetting();
  const { db, claim, mustClaim, settleAll } = outbox;

  const times = ['2026-03-05T06:00:00.000Z', '2026-03-06T06:00:00.000Z', '2026-03-07T06:00:00.000Z'] as const;

  /** Three balances of one account, newest put in first, so that only balanceAt can give the order. */
  async function series(): Promise<[string, string, string]> {
    const accounts = await outbox.rows.accounts(1);
    const numbers: string[] = [];
    for (const balanceAt of [...times].reverse())
      numbers.unshift(...(await outbox.rows.enqueue(accounts, { balanceAt })));
    const [first, second, third] = numbers;
    if (!first || !second || !third) throw new Error('a record is missing');
    return [first, second, third];
  }

  test('lets only the oldest out, whichever came first into the outbox', async () => {
    const [first, second, third] = await series();
    const batch = await mustClaim();
    expect(numbersOf(batch)).toEqual([first]);
    expect(await claim()).toBeUndefined();
    await settleAll(batch);
    const next = await mustClaim();
    expect(numbersOf(next)).toEqual([second]);
    await settleAll(next);
    expect(numbersOf(await claim())).toEqual([third]);
  });

  const older = '2026-03-04T06:00:00.000Z';

  /** Of the only account: the newer balance that AMLYZE has or may have, for balances of these instants. */
  async function newerSent(...instants: readonly string[]): Promise<(string | undefined)[]> {
    const [accountId = ''] = (await db().query<{ id: string }>('select id from account')).map(({ id }) => id);
    const keys = instants.map((balanceAt) => ({
      accountId,
      balanceType: 'STATEMENT_BALANCE',
      balanceAt,
      key: 'another',
    }));
    return (await findKeyStates(db(), keys, 'look')).map(({ newerSentAt }) => newerSentAt?.toISOString());
  }

  test('knows the newest that was sent, and says so of nothing but an older balance', async () => {
    await series();
    const [first, second, third] = times;
    expect(await newerSent(older, first, second, third)).toEqual([undefined, undefined, undefined, undefined]);
    await mustClaim();
    expect(await newerSent(older, first, second)).toEqual([first, undefined, undefined]);
    await db().query(
      `update record_state set state = 'accepted', attempt_id = null, in_doubt = false, next_attempt_at = null, settled_at = now()`,
    );
    expect(await newerSent(third, second, older, first)).toEqual([undefined, third, third, third]);
    expect(await db().query('select newest_balance_at from record_series')).toEqual([
      { newest_balance_at: new Date(third) },
    ]);
  });

  test.each([
    { state: 'pending', verdict: 'in-doubt', inDoubt: true },
    { state: 'exhausted', verdict: 'in-doubt', inDoubt: true, reason: 'ATTEMPTS' },
    { state: 'rejected', verdict: 'rejected', inDoubt: true, reason: 'REJECTED_AFTER_DOUBT' },
    { state: 'pending', verdict: 'not-sent', inDoubt: false },
    { state: 'rejected', verdict: 'rejected', inDoubt: false, reason: 'BUSINESS_REJECTION' },
  ] as const)('counts as sent what AMLYZE may have: $state, in doubt: $inDoubt', async (settled) => {
    await series();
    await settleAll(await mustClaim(), settled);
    expect(await newerSent(older)).toEqual([settled.inDoubt ? times[0] : undefined]);
  });

  test('puts a later revision of one time behind the earlier', async () => {
    const accounts = await outbox.rows.accounts(1);
    const [restated] = await outbox.rows.enqueue(accounts, { revision: 2 });
    const [original] = await outbox.rows.enqueue(accounts, { revision: 1 });
    const batch = await mustClaim();
    expect(numbersOf(batch)).toEqual([original]);
    await settleAll(batch);
    expect(numbersOf(await claim())).toEqual([restated]);
  });

  test('parks what is blocked until its blocker can be over, and a settled blocker lets it go at once', async () => {
    const [, second, third] = await series();
    const batch = await mustClaim({ leaseSeconds: 30 });
    await claim();
    for (const number of [second, third]) {
      expect(Number((await outbox.rows.one(number)).due_in_ms)).toBeGreaterThan(25_000);
    }
    await settleAll(batch);
    expect(Number((await outbox.rows.one(second)).due_in_ms)).toBeLessThanOrEqual(0);
    expect(Number((await outbox.rows.one(third)).due_in_ms)).toBeGreaterThan(20_000);
  });

  test('holds a newer one back while the oldest waits for its retry', async () => {
    const [first, second] = await series();
    const batch = await mustClaim();
    await settleAll(batch, { state: 'pending', inDoubt: true, verdict: 'in-doubt', delayMs: 60_000 });
    expect(await claim()).toBeUndefined();
    await outbox.rows.makeDue();
    expect(numbersOf(await claim())).toEqual([first]);
    expect(Number((await outbox.rows.one(second)).due_in_ms)).toBeGreaterThan(0);
  });

  test.each(['accepted', 'rejected', 'held', 'exhausted'] as const)(
    'is not blocked by a record that is %s',
    async (state) => {
      const [, second] = await series();
      await settleAll(await mustClaim(), { state, reason: 'SOMETHING', verdict: 'in-doubt' });
      expect(numbersOf(await claim())).toEqual([second]);
    },
  );

  test('does not reach across balance types or accounts', async () => {
    const accounts = await outbox.rows.accounts(2);
    const numbers = [
      ...(await outbox.rows.enqueue(accounts)),
      ...(await outbox.rows.enqueue(accounts, { balanceType: 'DAILY_BALANCE' })),
    ];
    expect(numbersOf(await claim())).toEqual(numbers);
  });

  test('lets a claim find the one free record behind 20,000 blocked ones, and pays for them once', async () => {
    const accounts = await outbox.rows.accounts(2);
    await outbox.rows.enqueue(accounts.slice(0, 1), { balanceAt: '2020-01-01T00:00:00.000Z' });
    const blocker = await mustClaim();
    await db().query(
      `insert into amlyze_record (communication_number, kind, account_id, account_ext_id, balance_type, balance_at, value, payload)
select 'blocked-' || g, 'balance', $1, 'A1', 'STATEMENT_BALANCE', timestamptz '2021-01-01' + make_interval(mins => g), 1, '{}'
from generate_series(1, 20000) g`,
      [accounts[0]],
    );
    await giveState(db(), { next_attempt_at: `now() - interval '1 hour'` });
    const [free] = await outbox.rows.enqueue(accounts.slice(1));
    expect(numbersOf(await claim({ limit: 500 }))).toEqual([free]);

    // All of them are parked behind the lease of the one that blocks them, so the next claim looks at none.
    const [due] = await db().query<{ n: number }>(
      `select count(*)::int as n from record_with_state where state = 'pending' and next_attempt_at <= now()`,
    );
    expect(due?.n).toBe(0);
    const started = performance.now();
    expect(await claim({ limit: 500 })).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(200);
    expect(blocker.records).toHaveLength(1);
  });
});

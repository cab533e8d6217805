import assert from 'node:assert/strict';
import type { LoadAccount } from '../rig/workload';
import { accountNumber } from '../rig/workload';
import type { World } from '../rig/world';
import { drawAmount, HARD_AMOUNTS, rightDigits } from './amounts';
import { count } from './looks';
import type { Scenario } from './scenario';

/** An account whose bank answers these very bytes as its amount. */
function accountOf({ written, isJsonNumber }: { written: string; isJsonNumber: boolean }, index: number): LoadAccount {
  const providerAccountId = accountNumber('mypos', index);
  return {
    bank: 'mypos',
    providerAccountId,
    accountExtId: `MP-${String(index).padStart(7, '0')}`,
    currency: 'EUR',
    value: rightDigits(written, isJsonNumber),
    simulated: { accountNumber: providerAccountId, balances: [] },
  };
}

function bodyOf(account: LoadAccount, { written, isJsonNumber }: { written: string; isJsonNumber: boolean }): string {
  const amount = isJsonNumber ? written : JSON.stringify(written);
  return `{"account":{"accountNumber":"${account.providerAccountId}"},"balances":[{"amount":${amount},"currency":"EUR","balanceType":"available"}]}`;
}

const unsent = (world: World): number => world.accounts.filter(({ value }) => value === null).length;

export const digits: Scenario = {
  id: 16,
  title: 'amounts that binary floating point, grouping and exponents break',
  injected: `${HARD_AMOUNTS.length} known ones and drawn ones, as JSON numbers and as texts, byte for byte from the bank`,
  expected: 'the same digits at AMLYZE, never an exponent, never rounded; or INVALID_PAYLOAD',
  accounts: { full: 400, reduced: 120 },

  async inject({ world, accounts: many }) {
    const a = await world.startReplica();
    const drawn = Array.from({ length: many - HARD_AMOUNTS.length }, () => drawAmount(world.random));
    const amounts = [...HARD_AMOUNTS, ...drawn];
    const accounts = amounts.map((amount, n) => accountOf(amount, n + 1));
    await world.registerAccounts(a, 'mypos', accounts);
    await world.mypos.addFault(
      ...accounts.map((account, n) => ({
        match: { account: account.providerAccountId },
        do: {
          kind: 'status' as const,
          status: 200,
          body: bodyOf(account, amounts[n] ?? { written: '', isJsonNumber: false }),
        },
      })),
    );
    await world.resync(a);
    await world.settled();
    await world.heal(20_000);
  },

  async expect({ world, accounts: many }) {
    const ledger = new Map((await world.amlyze.ledger()).map(({ accountExtId, value }) => [accountExtId, value]));
    for (const { accountExtId, value } of world.accounts)
      assert.equal(ledger.get(accountExtId) ?? null, value, `what AMLYZE has of ${accountExtId}`);
    assert.equal(await count(world, `balance_reading where outcome = 'INVALID_PAYLOAD'`), unsent(world));
    return { amounts: many, sent: many - unsent(world), refused: unsent(world) };
  },
};

import { randomBytes } from 'node:crypto';
import { SANDBOX_ONESINGLEVIEW } from '../../src/simulators';
import type { Json, Outside, TestGateway } from './gateway';
import type { TestDatabase } from './postgres';

/** An account number that no other test has. */
export function newNumber(): string {
  return `T${randomBytes(6).toString('hex').toUpperCase()}`;
}

/** An account of the consent that the gateway alone knows; our id. */
export async function registerAccount(gateway: TestGateway, consentId: string, number = newNumber()): Promise<string> {
  const account = { consentId, providerAccountId: number, currency: 'EUR', accountExtId: number };
  return (await gateway.ok('POST', '/admin/accounts', account)).id;
}

export interface AddedAccount {
  /** Our id. */
  id: string;
  /** The bank's number, which is accountExtId too, with the currency behind it where there are several. */
  number: string;
  accountExtId: string;
}

interface Amount {
  amount: string;
  currency: string;
}

/** An account that myPOS, AMLYZE and the gateway know; one of ours for every currency that `balances` has. */
export async function addMyposAccounts(
  { gateway, outside }: { gateway: TestGateway; outside: Outside },
  consentId: string,
  balances: readonly Amount[] = [{ amount: '100.00', currency: 'EUR' }],
): Promise<AddedAccount[]> {
  const number = newNumber();
  await outside.mypos.putAccounts([{ accountNumber: number, balances }]);
  const added: AddedAccount[] = [];
  for (const { currency } of balances) {
    const accountExtId = balances.length === 1 ? number : `${number}-${currency}`;
    await outside.amlyze.putAccounts([{ accountExtId, currency }]);
    const body = { consentId, providerAccountId: number, currency, accountExtId };
    const { id } = await gateway.ok('POST', '/admin/accounts', body);
    added.push({ id, number, accountExtId });
  }
  return added;
}

export async function addMyposAccount(
  scene: { gateway: TestGateway; outside: Outside },
  consentId: string,
  amount?: Amount,
): Promise<AddedAccount> {
  const [account] = await addMyposAccounts(scene, consentId, amount && [amount]);
  if (!account) throw new Error('no account was added');
  return account;
}

/** A myPOS consent and token of its own at the bank, for the connection's consent at the gateway. */
export async function newMyposConsent(outside: Outside): Promise<{ consentId: string; accessToken: string }> {
  const consentId = crypto.randomUUID();
  const accessToken = `token-${randomBytes(4).toString('hex')}`;
  await outside.mypos.call('POST', 'consents', { consentId });
  await outside.mypos.call('POST', 'tokens', { token: accessToken, consentId });
  return { consentId, accessToken };
}

/** What OneSingleView says of one account; changes it where the account is known. */
export async function oneSingleViewSays(
  outside: Outside,
  number: string,
  ...balances: readonly (Amount & { dateTime: string; type?: string; creditDebitIndicator?: string })[]
): Promise<void> {
  await outside.onesingleview.putAccounts([
    {
      bankCode: SANDBOX_ONESINGLEVIEW.bankCode,
      accountId: number,
      balances: balances.map((balance) => ({ type: 'KSAOB.ClosingBooked', ...balance })),
    },
  ]);
}

export async function addOneSingleViewAccount(
  { gateway, outside }: { gateway: TestGateway; outside: Outside },
  consentId: string,
  balance: Amount & { dateTime: string; type?: string },
): Promise<AddedAccount> {
  const number = newNumber();
  const { currency } = balance;
  await oneSingleViewSays(outside, number, balance);
  await outside.amlyze.putAccounts([{ accountExtId: number, currency }]);
  const body = { consentId, providerAccountId: number, currency, accountExtId: number };
  const { id } = await gateway.ok('POST', '/admin/accounts', body);
  return { id, number, accountExtId: number };
}

/** Calls that the bank has seen for an account number. */
export async function callsOf(bank: Outside['mypos'], number: string): Promise<number> {
  return (await bank.accessLog({ account: number })).length;
}

/** Reads the accounts now; their last readings in the run, in the order of `accounts`. */
export async function readNow(
  gateway: TestGateway,
  accounts: readonly AddedAccount[],
  more: object = {},
): Promise<Json[]> {
  const run = await gateway.sync({ accountIds: accounts.map(({ id }) => id), ...more });
  const readings = await gateway.list(`/admin/readings?runId=${run.id}`);
  return accounts.map(({ id }) => readings.findLast((reading) => reading.accountId === id));
}

/** Makes the repeats that wait due now, instead of waiting for them. */
export async function hastenRepeats(testDatabase: TestDatabase): Promise<void> {
  await testDatabase.database.query(
    `update waiting_account set due_at = now() - interval '1 second' where due_at > now()`,
  );
}

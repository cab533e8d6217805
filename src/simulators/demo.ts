import { SANDBOX_ONESINGLEVIEW } from './defaults';
import { amountOf, type Case, type DemoAccount, type DemoBank, type Draft } from './demo/demo-account';
import { iban } from './demo/iban';
import { MYPOS_CASES, plainMypos } from './demo/mypos-cases';
import { ONESINGLEVIEW_CASES, plainOneSingleView } from './demo/onesingleview-cases';
import type { FaultRule } from './faults';
import type { MyposBalance } from './mypos/mypos-account';
import type { OneSingleViewBalance } from './onesingleview/onesingleview-account';

export type { DemoAccount, DemoBank, Foreseen } from './demo/demo-account';

/** The first accounts show every case once; from there on every eighth one is special. */
const SHOWCASE = 20;
const SPECIAL_EVERY = 8;
/** Far enough in the past for any machine's clock; whoever shows the demo to people gives a time of their own. */
const AS_OF = new Date('2025-06-30T20:59:59.000Z');

/** Which special case an account is, or undefined for a plain one. */
function specialIndex(index: number, cases: number): number | undefined {
  if (index < SHOWCASE) return index < SHOWCASE - cases ? undefined : index - (SHOWCASE - cases);
  return index % SPECIAL_EVERY === 0 ? (index / SPECIAL_EVERY) % cases : undefined;
}

function pick<B>(
  draft: Draft,
  plain: (draft: Draft) => Case<B>,
  cases: readonly ((draft: Draft) => Case<B>)[],
): Case<B> {
  const special = specialIndex(draft.index, cases.length);
  return ((special === undefined ? undefined : cases[special]) ?? plain)(draft);
}

function draftOf(bank: DemoBank, index: number, asOf: Date): Draft {
  const number = String(index).padStart(7, '0');
  const [id, ext, currencies] =
    bank === 'mypos'
      ? ([(n: string) => `5004${n}`, 'MP', ['EUR', 'PLN', 'GBP']] as const)
      : ([(n: string) => `10000400000000000${n}`, 'SV', ['SAR', 'SAR', 'USD']] as const);
  const currency = currencies[index % currencies.length] ?? currencies[0];
  return {
    index,
    accountId: id(number),
    neighbourId: id(String(index + 1).padStart(7, '0')),
    currency,
    otherCurrency: currency === 'USD' ? 'EUR' : 'USD',
    accountExtId: `${ext}-${number}`,
    amount: amountOf(index, 1n),
    otherAmount: amountOf(index, 2n),
    dateTime: asOf.toISOString(),
  };
}

function common<B>(bank: DemoBank, draft: Draft, chosen: Case<B>): Omit<DemoAccount, 'simulated'> {
  return {
    bank,
    index: draft.index,
    kind: chosen.kind,
    providerAccountId: draft.accountId,
    currency: draft.currency,
    accountExtId: chosen.accountExtId ?? draft.accountExtId,
    amlyze: chosen.amlyze ?? 'registered',
    foreseen: chosen.foreseen,
  };
}

function myposAccount(draft: Draft): DemoAccount {
  const chosen = pick<MyposBalance>(draft, plainMypos, MYPOS_CASES);
  const simulated = {
    accountNumber: draft.accountId,
    iban: iban('BG', `INTF4001${draft.accountId.slice(-10)}`),
    balances: chosen.balances,
    ...(chosen.holder === undefined ? {} : { name: chosen.holder }),
    ...(chosen.answersAs === undefined ? {} : { answersAs: chosen.answersAs }),
  };
  return { ...common('mypos', draft, chosen), simulated: chosen.unknownToBank === true ? undefined : simulated };
}

function oneSingleViewAccount(draft: Draft): DemoAccount {
  const chosen = pick<OneSingleViewBalance>(draft, plainOneSingleView, ONESINGLEVIEW_CASES);
  const { bankCode } = SANDBOX_ONESINGLEVIEW;
  const simulated = {
    bankCode,
    accountId: draft.accountId,
    balances: chosen.balances,
    ...(chosen.holder === undefined ? {} : { accountHolderName: chosen.holder }),
    ...(chosen.answersAs === undefined ? {} : { answersAs: chosen.answersAs }),
  };
  return {
    ...common('onesingleview', draft, chosen),
    bankCode,
    simulated: chosen.unknownToBank === true ? undefined : simulated,
  };
}

/**
 * The accounts of the demonstration with what must become of each: the same for the same arguments, always.
 *
 * Foreseen for connections with default settings (myPOS), or with `creditLine: own-funds` and default settings
 * (OneSingleView).
 * @param asOf the bank's time of the balances, OneSingleView only
 */
export function demoAccounts(bank: DemoBank, count: number, asOf: Date = AS_OF): DemoAccount[] {
  const account = bank === 'mypos' ? myposAccount : oneSingleViewAccount;
  return Array.from({ length: count }, (_, index) => account(draftOf(bank, index, asOf)));
}

/** What the simulators must be told before the accounts are read: bodies for `POST /_sim/accounts` and `/_sim/faults`. */
export function demoRegistrations(accounts: readonly DemoAccount[]): {
  bankAccounts: object[];
  amlyzeAccounts: { accountExtId: string; currency: string }[];
  amlyzeFaults: FaultRule[];
} {
  const taken = accounts.filter((account) => account.amlyze === 'number-taken');
  const rule: FaultRule = {
    match: { account: taken.map((account) => account.accountExtId) },
    do: { kind: 'already-used' },
  };
  return {
    bankAccounts: accounts.flatMap(({ simulated }) => (simulated === undefined ? [] : [simulated])),
    amlyzeAccounts: accounts
      .filter((account) => account.amlyze !== 'unknown')
      .map(({ accountExtId, currency }) => ({ accountExtId, currency })),
    amlyzeFaults: taken.length === 0 ? [] : [rule],
  };
}

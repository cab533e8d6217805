import type { Fields } from '../kernel/fields';

export interface CreditLine {
  included: boolean;
  /** default `Available` */
  type?: string;
  amount: string;
  currency: string;
}

export interface OneSingleViewBalance {
  /** written as a JSON string, as it stands */
  amount: string;
  currency: string;
  /** default `KSAOB.Credit` */
  creditDebitIndicator?: string;
  /** e.g. `KSAOB.ClosingBooked` */
  type: string;
  /** as it stands; left out of the answer where undefined */
  dateTime?: string;
  /** default none, which is written as an empty list */
  creditLine?: readonly CreditLine[];
}

/** What a test or the sandbox registers at the simulator; an account is known by bank code and id. */
export interface OneSingleViewAccountScript {
  bankCode: string;
  accountId: string;
  /** written into the answer beside the documented fields */
  accountHolderName?: string;
  balances: readonly OneSingleViewBalance[];
  /** echoes this account id instead of the one asked for: another account's answer */
  answersAs?: string;
}

export interface OneSingleViewAccount {
  readonly script: OneSingleViewAccountScript;
  /** the payload element of the answer, made at the first read */
  answer: string | undefined;
}

function lineFrom(given: Fields): CreditLine {
  return {
    included: given.flag('included', false),
    type: given.optionalText('type') ?? 'Available',
    amount: given.text('amount'),
    currency: given.text('currency'),
  };
}

function balanceFrom(given: Fields): OneSingleViewBalance {
  const dateTime = given.optionalText('dateTime');
  return {
    amount: given.text('amount'),
    currency: given.text('currency'),
    creditDebitIndicator: given.optionalText('creditDebitIndicator') ?? 'KSAOB.Credit',
    type: given.text('type'),
    ...(dateTime === undefined ? {} : { dateTime }),
    creditLine: given.objects('creditLine')?.map(lineFrom) ?? [],
  };
}

export function accountKey(bankCode: string, accountId: string): string {
  return `${bankCode} ${accountId}`;
}

export function oneSingleViewAccountFrom(
  given: Fields,
  former: OneSingleViewAccount | undefined,
): OneSingleViewAccount {
  const script: OneSingleViewAccountScript = {
    bankCode: given.text('bankCode'),
    accountId: given.text('accountId'),
    balances: given.objects('balances')?.map(balanceFrom) ?? former?.script.balances ?? [],
  };
  const holder = given.optionalText('accountHolderName') ?? former?.script.accountHolderName;
  const answersAs = given.has('answersAs') ? given.optionalText('answersAs') : former?.script.answersAs;
  if (holder !== undefined) script.accountHolderName = holder;
  if (answersAs !== undefined) script.answersAs = answersAs;
  return { script, answer: undefined };
}

/** One element of the documented `payload`. */
export function payloadElement(script: OneSingleViewAccountScript): string {
  return JSON.stringify({
    code: script.bankCode,
    data: {
      accountId: script.answersAs ?? script.accountId,
      ...(script.accountHolderName === undefined ? {} : { accountHolderName: script.accountHolderName }),
      balance: script.balances.map((balance) => ({
        amount: { amount: balance.amount, currency: balance.currency },
        creditDebitIndicator: balance.creditDebitIndicator ?? 'KSAOB.Credit',
        type: balance.type,
        dateTime: balance.dateTime,
        creditLine: (balance.creditLine ?? []).map((line) => ({
          included: line.included,
          type: line.type ?? 'Available',
          amount: { amount: line.amount, currency: line.currency },
        })),
      })),
    },
    links: { self: 'https://' },
    meta: { totalPages: 0 },
  });
}

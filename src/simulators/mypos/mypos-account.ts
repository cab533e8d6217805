import type { Fields } from '../kernel/fields';

export interface MyposBalance {
  /** decimal text, written into the answer as it stands: a JSON number, or a JSON string where it is none (`NaN`) */
  amount: string;
  currency: string;
  balanceType: string;
}

/** What a test or the sandbox registers at the simulator. */
export interface MyposAccountScript {
  accountNumber: string;
  iban?: string;
  name?: string;
  balances: readonly MyposBalance[];
  /** echoes this account number instead of the one asked for: another account's answer */
  answersAs?: string;
}

export interface MyposAccount {
  readonly script: MyposAccountScript;
  /** the body of the balance answer, made at the first read */
  answer: string | undefined;
}

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

function balanceFrom(given: Fields): MyposBalance {
  return {
    amount: given.text('amount'),
    currency: given.text('currency'),
    balanceType: given.optionalText('balanceType') ?? 'available',
  };
}

export function myposAccountFrom(given: Fields, former: MyposAccount | undefined): MyposAccount {
  const script: MyposAccountScript = {
    accountNumber: given.text('accountNumber'),
    balances: given.objects('balances')?.map(balanceFrom) ?? former?.script.balances ?? [],
  };
  const iban = given.optionalText('iban') ?? former?.script.iban;
  const name = given.optionalText('name') ?? former?.script.name;
  const answersAs = given.has('answersAs') ? given.optionalText('answersAs') : former?.script.answersAs;
  if (iban !== undefined) script.iban = iban;
  if (name !== undefined) script.name = name;
  if (answersAs !== undefined) script.answersAs = answersAs;
  return { script, answer: undefined };
}

/** The documented answer: a bare number as amount, digit for digit as it was scripted. */
export function balancesBody(script: MyposAccountScript): string {
  const account = JSON.stringify({
    accountNumber: script.answersAs ?? script.accountNumber,
    ...(script.iban === undefined ? {} : { iban: script.iban }),
    ...(script.name === undefined ? {} : { name: script.name }),
  });
  const balances = script.balances.map(({ amount, currency, balanceType }) => {
    const written = JSON_NUMBER.test(amount) ? amount : JSON.stringify(amount);
    return `{"amount":${written},"currency":${JSON.stringify(currency)},"balanceType":${JSON.stringify(balanceType)}}`;
  });
  return `{"account":${account},"balances":[${balances.join(',')}]}`;
}

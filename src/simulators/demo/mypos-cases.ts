import type { MyposBalance } from '../mypos/mypos-account';
import { type Case, type Draft, read } from './demo-account';

type MyposCase = (draft: Draft) => Case<MyposBalance>;

const available = (amount: string, currency: string): MyposBalance => ({ amount, currency, balanceType: 'available' });

export const plainMypos: MyposCase = ({ amount, currency }) => ({
  kind: 'plain',
  // The vendor's own sample has three digits after the point: 4.200.
  balances: [available(`${amount}0`, currency)],
  foreseen: read(`${amount}0`, 'the digits of the bank, unchanged'),
});

/** A connection with default settings: type `available`, the amount carries its sign, no bank time. */
export const MYPOS_CASES: readonly MyposCase[] = [
  ({ amount, currency }) => ({
    kind: 'overdraft',
    balances: [available(`-${amount}`, currency)],
    foreseen: read(`-${amount}`, 'an overdrawn account keeps its minus sign'),
  }),
  ({ amount, otherAmount, currency }) => ({
    kind: 'several-types',
    balances: [{ amount: otherAmount, currency, balanceType: 'expected' }, available(amount, currency)],
    foreseen: read(amount, 'of two balance types the configured one is sent'),
  }),
  ({ amount, otherCurrency }) => ({
    kind: 'currency-mismatch',
    balances: [available(amount, otherCurrency)],
    foreseen: { outcome: 'CURRENCY_MISMATCH', why: 'the bank answers in another currency, and nothing is converted' },
  }),
  ({ amount, currency, neighbourId }) => ({
    kind: 'other-account',
    balances: [available(amount, currency)],
    answersAs: neighbourId,
    foreseen: { outcome: 'ACCOUNT_MISMATCH', why: "the bank answers with another account's balance" },
  }),
  () => ({
    kind: 'unknown-to-bank',
    balances: [],
    unknownToBank: true,
    foreseen: { outcome: 'ACCOUNT_UNKNOWN', why: 'the bank does not know the account' },
  }),
  ({ amount, currency }) => ({
    kind: 'unknown-to-amlyze',
    balances: [available(amount, currency)],
    amlyze: 'unknown',
    foreseen: { outcome: 'READ', value: amount, recordState: 'rejected', why: 'AMLYZE does not know the account' },
  }),
  ({ amount, otherAmount, currency }) => ({
    kind: 'ambiguous',
    balances: [available(amount, currency), available(otherAmount, currency)],
    foreseen: { outcome: 'AMBIGUOUS_BALANCE', why: 'two values of one type and currency: nobody may choose' },
  }),
  ({ currency }) => ({
    kind: 'invalid-amount',
    balances: [available('NaN', currency)],
    foreseen: { outcome: 'INVALID_PAYLOAD', why: 'the amount is no number, and no number is made up' },
  }),
  ({ amount, currency }) => ({
    kind: 'no-eligible-type',
    balances: [{ amount, currency, balanceType: 'nonInvoiced' }],
    foreseen: { outcome: 'NO_ELIGIBLE_BALANCE', why: 'the bank lists no balance of a configured type' },
  }),
  ({ amount, currency, accountExtId }) => ({
    kind: 'non-ascii',
    balances: [available(amount, currency)],
    accountExtId: `${accountExtId}-сметка`,
    holder: 'Петър Иванов ЕООД',
    foreseen: read(amount, 'names in Cyrillic on both sides'),
  }),
  ({ currency }) => ({
    kind: 'zero',
    balances: [available('0.00', currency)],
    foreseen: read('0.00', 'an empty account, which the bank called 0'),
  }),
  ({ amount, currency }) => ({
    kind: 'number-taken',
    balances: [available(amount, currency)],
    amlyze: 'number-taken',
    foreseen: {
      outcome: 'READ',
      value: amount,
      recordState: 'held',
      why: 'AMLYZE says at the first send that the number is used: a collision, for a person to look at',
    },
  }),
  ({ currency }) => ({
    kind: 'many-digits',
    balances: [available('12345678901234567.8901234567', currency)],
    foreseen: read('12345678901234567.8901234567', 'more digits than a binary float can hold'),
  }),
  ({ currency }) => ({
    kind: 'exponent',
    balances: [available('1.25E3', currency)],
    foreseen: read('1250', 'a number written with an exponent, expanded exactly'),
  }),
];

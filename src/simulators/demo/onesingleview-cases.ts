import type { CreditLine, OneSingleViewBalance } from '../onesingleview/onesingleview-account';
import { type Case, type Draft, read } from './demo-account';

type OneSingleViewCase = (draft: Draft) => Case<OneSingleViewBalance>;

const CREDIT = 'KSAOB.Credit';
const DEBIT = 'KSAOB.Debit';

interface Figure {
  amount: string;
  side?: string;
  type?: string;
  creditLine?: CreditLine[];
}

function booked(
  draft: Draft,
  { amount, side = CREDIT, type = 'KSAOB.ClosingBooked', creditLine }: Figure,
): OneSingleViewBalance {
  const { currency, dateTime } = draft;
  const balance: OneSingleViewBalance = { amount, currency, creditDebitIndicator: side, type, dateTime };
  if (creditLine !== undefined) balance.creditLine = creditLine;
  return balance;
}

const line = (currency: string, amount: string, included: boolean): CreditLine => ({
  included,
  type: 'New_Line',
  amount,
  currency,
});

/** Every third one without the prefix, as the vendor's page writes these words. */
export const plainOneSingleView: OneSingleViewCase = (draft) => {
  const { amount, index } = draft;
  const words = index % 3 === 0 ? { side: 'Credit', type: 'ClosingBooked' } : {};
  return {
    kind: 'plain',
    balances: [booked(draft, { amount, ...words })],
    foreseen: read(amount, 'the digits of the bank, unchanged'),
  };
};

/** A connection with `creditLine: own-funds`, `creditLineAmount: available` and the default balance types. */
export const ONESINGLEVIEW_CASES: readonly OneSingleViewCase[] = [
  (draft) => ({
    kind: 'overdraft',
    balances: [booked(draft, { amount: draft.amount, side: DEBIT })],
    foreseen: read(`-${draft.amount}`, 'a debit balance becomes a negative value'),
  }),
  (draft) => ({
    kind: 'credit-line-clear',
    balances: [booked(draft, { amount: '7896.21', creditLine: [line(draft.currency, '5000.00', true)] })],
    foreseen: read('2896.21', 'the included line is taken out: 7896.21 less 5000.00'),
  }),
  (draft) => ({
    kind: 'credit-line-unclear',
    balances: [booked(draft, { amount: '7896.21', side: DEBIT, creditLine: [line(draft.currency, '5000.00', true)] })],
    foreseen: {
      outcome: 'CREDIT_LINE_UNCLEAR',
      why: 'overdrawn, with a line included: how much of it is drawn is unknown',
    },
  }),
  (draft) => ({
    kind: 'credit-line-excluded',
    balances: [booked(draft, { amount: draft.amount, creditLine: [line(draft.currency, '5000.00', false)] })],
    foreseen: read(draft.amount, 'a line that is not included changes nothing'),
  }),
  (draft) => ({
    kind: 'several-types',
    balances: [
      booked(draft, { amount: draft.otherAmount, type: 'KSAOB.InterimAvailable' }),
      booked(draft, { amount: draft.amount }),
    ],
    foreseen: read(draft.amount, 'ClosingBooked stands before InterimAvailable in the configured order'),
  }),
  (draft) => ({
    kind: 'currency-mismatch',
    balances: [{ ...booked(draft, { amount: draft.amount }), currency: draft.otherCurrency }],
    foreseen: { outcome: 'CURRENCY_MISMATCH', why: 'the bank answers in another currency, and nothing is converted' },
  }),
  (draft) => ({
    kind: 'other-account',
    balances: [booked(draft, { amount: draft.amount })],
    answersAs: draft.neighbourId,
    foreseen: { outcome: 'ACCOUNT_MISMATCH', why: "the bank answers with another account's balance" },
  }),
  () => ({
    kind: 'unknown-to-bank',
    balances: [],
    unknownToBank: true,
    foreseen: { outcome: 'ACCOUNT_UNKNOWN', why: 'the bank does not know the account' },
  }),
  (draft) => ({
    kind: 'unknown-to-amlyze',
    balances: [booked(draft, { amount: draft.amount })],
    amlyze: 'unknown',
    foreseen: {
      outcome: 'READ',
      value: draft.amount,
      recordState: 'rejected',
      why: 'AMLYZE does not know the account',
    },
  }),
  (draft) => ({
    kind: 'sign-contradiction',
    balances: [booked(draft, { amount: `-${draft.amount}`, side: DEBIT })],
    foreseen: { outcome: 'SIGN_CONTRADICTION', why: 'a minus sign and a debit indicator: negative once or twice?' },
  }),
  (draft) => ({
    kind: 'ambiguous',
    balances: [booked(draft, { amount: draft.amount }), booked(draft, { amount: draft.otherAmount })],
    foreseen: { outcome: 'AMBIGUOUS_BALANCE', why: 'two values of one type and currency: nobody may choose' },
  }),
  (draft) => ({
    kind: 'invalid-amount',
    balances: [booked(draft, { amount: 'NaN' })],
    foreseen: { outcome: 'INVALID_PAYLOAD', why: 'the amount is no number, and no number is made up' },
  }),
  (draft) => ({
    kind: 'no-eligible-type',
    balances: [booked(draft, { amount: draft.amount, type: 'KSAOB.Information' })],
    foreseen: { outcome: 'NO_ELIGIBLE_BALANCE', why: 'the bank lists no balance of a configured type' },
  }),
  (draft) => ({
    kind: 'non-ascii',
    balances: [booked(draft, { amount: draft.amount })],
    accountExtId: `${draft.accountExtId}-حساب`,
    holder: 'شركة الاختبار المحدودة',
    foreseen: read(draft.amount, 'names in Arabic on both sides'),
  }),
  (draft) => ({
    kind: 'zero',
    balances: [booked(draft, { amount: '0.00' })],
    foreseen: read('0.00', 'an empty account, which the bank called 0'),
  }),
  (draft) => ({
    kind: 'number-taken',
    balances: [booked(draft, { amount: draft.amount })],
    amlyze: 'number-taken',
    foreseen: {
      outcome: 'READ',
      value: draft.amount,
      recordState: 'held',
      why: 'AMLYZE says at the first send that the number is used: a collision, for a person to look at',
    },
  }),
  (draft) => ({
    kind: 'many-digits',
    balances: [booked(draft, { amount: '12345678901234567.8901234567' })],
    foreseen: read('12345678901234567.8901234567', 'more digits than a binary float can hold'),
  }),
];

import { SANDBOX_ONESINGLEVIEW } from '../../../src/simulators/defaults';
import type { Random } from './random';

export type Bank = 'mypos' | 'onesingleview';

/** An account at a bank, and what AMLYZE must be told of it. */
export interface LoadAccount {
  bank: Bank;
  providerAccountId: string;
  accountExtId: string;
  currency: string;
  /** The digits that AMLYZE must get; null where no record may be made. */
  value: string | null;
  /** As the bank's simulator is told. */
  simulated: object;
}

/** Amounts in every scale and size that banks have; of each the digits must arrive as they stand. */
function amount(random: Random): string {
  const scale = random.pick([0, 1, 2, 2, 2, 3, 4]);
  const digits = random.pick([1, 3, 5, 9, 12]);
  const whole = Array.from({ length: digits }, (_, at) => random.whole(at === 0 && digits > 1 ? 1 : 0, 9)).join('');
  return scale === 0 ? whole : `${whole}.${Array.from({ length: scale }, () => random.whole(0, 9)).join('')}`;
}

const isZero = (digits: string): boolean => /^[0.]+$/.test(digits);

/** An account number of a bank: the same for the same index. */
export function accountNumber(bank: Bank, index: number): string {
  const number = String(index).padStart(7, '0');
  return bank === 'mypos' ? `5004${number}` : `10000400000000000${number}`;
}

export function loadAccount(bank: Bank, index: number, random: Random): LoadAccount {
  const digits = amount(random);
  const negative = random.chance(0.2) && !isZero(digits);
  const value = negative ? `-${digits}` : digits;
  return scripted(bank, index, value);
}

/** An account with this very value. @param value decimal text, perhaps with a minus */
export function scripted(bank: Bank, index: number, value: string): LoadAccount {
  const providerAccountId = accountNumber(bank, index);
  const accountExtId = `${bank === 'mypos' ? 'MP' : 'SV'}-${String(index).padStart(7, '0')}`;
  if (bank === 'mypos') {
    const balances = [{ amount: value, currency: 'EUR', balanceType: 'available' }];
    const simulated = { accountNumber: providerAccountId, balances };
    return { bank, providerAccountId, accountExtId, currency: 'EUR', value, simulated };
  }
  const balances = [
    {
      amount: value.replace('-', ''),
      currency: 'SAR',
      creditDebitIndicator: value.startsWith('-') ? 'KSAOB.Debit' : 'KSAOB.Credit',
      type: 'KSAOB.ClosingBooked',
      dateTime: '2025-06-30T20:59:59.000Z',
    },
  ];
  const simulated = { bankCode: SANDBOX_ONESINGLEVIEW.bankCode, accountId: providerAccountId, balances };
  return { bank, providerAccountId, accountExtId, currency: 'SAR', value, simulated };
}

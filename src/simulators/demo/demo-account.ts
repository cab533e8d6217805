import type { MyposAccountScript } from '../mypos/mypos-account';
import type { OneSingleViewAccountScript } from '../onesingleview/onesingleview-account';

export type DemoBank = 'mypos' | 'onesingleview';

/** What must become of an account when it is read once, at a connection with the demo's settings. */
export interface Foreseen {
  /** the reading's outcome */
  outcome: string;
  /** the decimal that AMLYZE must get, digit for digit; where a record is made */
  value?: string;
  /** the state in which the record must end; where one is made */
  recordState?: 'accepted' | 'rejected' | 'held';
  /** one sentence for the table that a person reads */
  why: string;
}

export interface DemoAccount {
  bank: DemoBank;
  index: number;
  /** the name of the case, e.g. `plain`, `overdraft` */
  kind: string;
  /** to be registered at the gateway */
  providerAccountId: string;
  bankCode?: string;
  currency: string;
  accountExtId: string;
  /** what the bank's simulator must be told; undefined: it does not know the account */
  simulated: MyposAccountScript | OneSingleViewAccountScript | undefined;
  /** whether AMLYZE knows the account, and whether the first number of its records is somebody else's */
  amlyze: 'registered' | 'unknown' | 'number-taken';
  foreseen: Foreseen;
}

/** What every case starts from; a case changes what makes it special. */
export interface Draft {
  readonly index: number;
  readonly accountId: string;
  /** another account of the same bank */
  readonly neighbourId: string;
  readonly currency: string;
  readonly otherCurrency: string;
  readonly accountExtId: string;
  /** a decimal text that is different for each account, two digits after the point */
  readonly amount: string;
  /** another one */
  readonly otherAmount: string;
  /** RFC 3339 */
  readonly dateTime: string;
}

export interface Case<Balance> {
  kind: string;
  balances: readonly Balance[];
  foreseen: Foreseen;
  accountExtId?: string;
  holder?: string;
  answersAs?: string;
  unknownToBank?: boolean;
  amlyze?: DemoAccount['amlyze'];
}

const PRIME = 7919n;

/** Amounts between 10.00 and 99,999.99, spread over the indices and never made with binary floats. */
export function amountOf(index: number, salt: bigint): string {
  const cents = ((BigInt(index) * PRIME + salt * 104_729n) % 9_998_999n) + 1000n;
  return `${String(cents / 100n)}.${String(cents % 100n).padStart(2, '0')}`;
}

export const read = (value: string, why: string): Foreseen => ({
  outcome: 'READ',
  value,
  recordState: 'accepted',
  why,
});

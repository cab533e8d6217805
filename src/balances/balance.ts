import type { Decimal } from '../shared/decimal';
import type { JsonValue } from '../shared/json';
import type { MappingFailure } from './outcome';
import type { Step } from './step';

/**
 * One element of the bank's list of balances, as a provider's mapper hands it over. The fields are still raw, because
 * only an element that is chosen by type and currency may fail a reading.
 */
export interface ReportedBalance {
  /** Position in the bank's list, from 0; steps and reasons name the element by it. */
  index: number;
  type: JsonValue | undefined;
  currency: JsonValue | undefined;
  amount: JsonValue | undefined;
  creditDebitIndicator?: JsonValue;
  /** The bank's list of credit lines as it stands: `{included, type, amount: {amount, currency}}[]`. */
  creditLines?: JsonValue;
  dateTime?: JsonValue;
}

/** Provider's balance type -> AMLYZE balance type, most wanted first. */
export type BalanceTypeMap = readonly { type: string; code: string }[];

/** How a provider's balances are to be understood; comes from its contract and from the connection's settings. */
export interface MappingSettings {
  balanceTypes: BalanceTypeMap;
  /** `signed-amount`: a minus is in the amount. `indicator`: unsigned amount and Credit or Debit beside it. */
  signing: 'signed-amount' | 'indicator';
  /** `bank`: the element carries its instant. `fetch`: the contract has no time, ours stands in. */
  balanceTime: 'bank' | 'fetch';
  /** A prefix that types and indicators may carry or not, such as `KSAOB.`. */
  typePrefix?: string;
  /** `own-funds` takes an included credit line out of the figure, `as-reported` leaves it. */
  creditLine?: 'own-funds' | 'as-reported';
  /** What a line's amount means: the undrawn rest (default) or the whole limit. */
  creditLineAmount?: 'available' | 'limit';
  /** IANA zone in which times without offset are read. */
  timeZone?: string;
}

/** 1 base = rate quote, as published for rateDate (YYYY-MM-DD). */
export interface Rate {
  base: string;
  quote: string;
  rateDate: string;
  rate: Decimal;
  source: string;
}

export interface MappingInput {
  reported: readonly ReportedBalance[];
  /** The AMLYZE account's own currency, ISO 4217. */
  currency: string;
  /** AMLYZE balance type -> provider type that its series is made of. */
  pinnedTypes: Readonly<Record<string, string>>;
  settings: MappingSettings;
  /** When the answer was fetched, by the database clock. */
  fetchedAt: Date;
  /** Present where an equivalent value is wanted. `rate` finds the latest usable rate, see `latestRate`. */
  equivalent?: { currency: string; rate(from: string, on: string): Rate | undefined };
}

/** A balance as it goes into AMLYZE's record. */
export interface MappedBalance {
  /** AMLYZE's code. */
  balanceType: string;
  /** The provider's type it was made of, as the connection's map spells it; the account is pinned to it. */
  providerType: string;
  value: Decimal;
  /** RFC 3339, UTC, milliseconds, `Z`. */
  balanceAt: string;
  balanceAtSource: 'bank' | 'fetch';
  /** Absent where none is wanted or no rate is known. */
  equivalentValue?: Decimal;
}

export interface MappingResult {
  outcome: 'READ' | MappingFailure;
  /** Absent for READ. */
  reason?: string;
  steps: Step[];
  /** One per AMLYZE balance type that could be mapped, also beside another that failed. */
  balances: MappedBalance[];
}

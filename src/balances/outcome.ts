/**
 * How the reading of one account ended; every due read ends in exactly one. The database checks the same list.
 * ALREADY_READ: this slot was read before. ACCOUNT_CLOSED and PAUSED: no call was made. GATEWAY_ERROR: a fault of ours.
 */
export const READING_OUTCOMES = [
  'READ',
  'ALREADY_READ',
  'NO_ELIGIBLE_BALANCE',
  'AMBIGUOUS_BALANCE',
  'CURRENCY_MISMATCH',
  'SIGN_CONTRADICTION',
  'CREDIT_LINE_UNCLEAR',
  'INVALID_PAYLOAD',
  'ACCOUNT_MISMATCH',
  'OLDER_THAN_SENT',
  'RATE_LIMITED',
  'BUDGET_EXHAUSTED',
  'CONSENT_REQUIRED',
  'TOKEN_REJECTED',
  'ACCOUNT_UNKNOWN',
  'BANK_UNAVAILABLE',
  'BANK_ERROR',
  'CERTIFICATE_PROBLEM',
  'PAUSED',
  'ACCOUNT_CLOSED',
  'GATEWAY_ERROR',
] as const;

export type ReadingOutcome = (typeof READING_OUTCOMES)[number];

/** The outcomes that the mapping itself can come to; each names the kind of doubt that kept a balance from being sent. */
export type MappingFailure = Extract<
  ReadingOutcome,
  | 'NO_ELIGIBLE_BALANCE'
  | 'AMBIGUOUS_BALANCE'
  | 'CURRENCY_MISMATCH'
  | 'SIGN_CONTRADICTION'
  | 'CREDIT_LINE_UNCLEAR'
  | 'INVALID_PAYLOAD'
>;

/** What a mapping rule returns instead of a value it would have to guess. Returned, never thrown. */
export class Refusal {
  constructor(
    readonly outcome: MappingFailure,
    /** One sentence for the operator. */
    readonly reason: string,
  ) {}
}

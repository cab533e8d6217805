import type { ReadingOutcome } from '../balances/outcome';
import type { SeenRecord } from './first-sync';

/** Each outcome of a reading for somebody who sees it for the first time. */
export const OUTCOME_WORDS: Readonly<Record<ReadingOutcome, string>> = {
  READ: 'the balance is clear and became a record, or had one already',
  ALREADY_READ: 'read for another run a moment before',
  NO_ELIGIBLE_BALANCE: 'the bank lists no balance of the configured type',
  AMBIGUOUS_BALANCE: 'two different balances of the same type: nobody may choose',
  CURRENCY_MISMATCH: "the bank answered in another currency than the account's",
  SIGN_CONTRADICTION: 'minus sign and debit indicator at once: negative, or not?',
  CREDIT_LINE_UNCLEAR: 'a credit line is included, and how much is drawn is unknown',
  INVALID_PAYLOAD: 'the answer holds something that is no amount or no time',
  ACCOUNT_MISMATCH: 'the bank answered about another account',
  OLDER_THAN_SENT: 'AMLYZE has a newer balance already',
  RATE_LIMITED: 'the bank asked to wait',
  BUDGET_EXHAUSTED: "the consent's reads of 24 hours are used up",
  CONSENT_REQUIRED: 'the consent has ended or was withdrawn',
  TOKEN_REJECTED: 'the bank does not take the token',
  ACCOUNT_UNKNOWN: 'the bank does not know the account',
  BANK_UNAVAILABLE: 'the bank did not answer',
  BANK_ERROR: 'the bank answered with an error',
  CERTIFICATE_PROBLEM: 'certificate or signature were refused',
  PAUSED: 'the connection is paused',
  ACCOUNT_CLOSED: 'the account was closed meanwhile',
  GATEWAY_ERROR: "a fault of the gateway's own: see its log",
};

const REASON_WORDS: Readonly<Record<string, string>> = {
  COLLISION: 'AMLYZE says at the first send that the number is used: a person decides',
  NUMBER_CONSUMED: 'the rejected number is used up: requeue it with a new one',
};

/** Why records of one kind stand where they stand: AMLYZE's words as it wrote them, or ours. */
export function recordWords({ state, reason, errorCode, errorDescription }: SeenRecord): string {
  const own =
    reason === null || reason === 'BUSINESS_REJECTION' ? '' : [reason, REASON_WORDS[reason]].filter(Boolean).join(': ');
  if (state === 'accepted') return own || 'acknowledged by AMLYZE';
  const said = [errorCode, errorDescription && `"${errorDescription}"`].filter(Boolean).join(' ');
  return state === 'rejected' ? [`AMLYZE says ${said}`, own].filter(Boolean).join('; ') : own || said;
}

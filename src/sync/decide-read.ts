import type { ReadingOutcome } from '../balances/outcome';

/** Everything that decides whether a bank may be asked about a subject now. */
export interface SubjectState {
  subjectId: string;
  epoch: string;
  bankCode: string;
  providerAccountId: string;
  /** Our id of the consent. */
  consentRowId: string;
  /** The bank's id of the consent. */
  consentId: string;
  /** Of the consent's row: every change by a person, and every stop, makes another. */
  consentVersion: string;
  sealedAccessToken: string | undefined;
  connectionId: string;
  /** Database clock. */
  now: Date;
  connection: { paused: boolean; reason: string | undefined };
  consent: {
    status: string;
    stopped: { outcome: 'CONSENT_REQUIRED' | 'TOKEN_REJECTED'; reason: string } | undefined;
    validUntil: Date | undefined;
  };
  /** Waits that a bank asked for, on connection, consent and account. */
  waits: readonly { until: Date; reason: string }[];
  /** Unattended reads in the window, and how many the consent allows. */
  used: number;
  allowed: number;
  /** When the window has room again, if it is full now. */
  nextBudgetAt: Date;
  /** The read would only repeat one that failed within the run: how it failed. */
  repeatOf: { outcome: ReadingOutcome; reason: string } | undefined;
}

/** No call is made; this is the outcome instead. */
export interface Denial {
  outcome: ReadingOutcome;
  reason: string;
  nextReadAt?: Date;
}

export function pausedReason(reason: string | undefined): string {
  return `the connection is paused: ${reason ?? 'no reason given'}`;
}

/** The first thing that forbids the read, most lasting first; undefined = ask the bank. Pure. */
export function decideRead(state: SubjectState, accounts: readonly { closed: boolean }[]): Denial | undefined {
  if (accounts.every((account) => account.closed))
    return { outcome: 'ACCOUNT_CLOSED', reason: 'the account is closed at the gateway' };
  if (state.connection.paused) {
    return { outcome: 'PAUSED', reason: pausedReason(state.connection.reason) };
  }
  const { stopped, status, validUntil } = state.consent;
  if (stopped) return { outcome: stopped.outcome, reason: stopped.reason };
  if (status !== 'valid') return { outcome: 'CONSENT_REQUIRED', reason: `the consent is ${status}, not valid` };
  if (validUntil && validUntil <= state.now) {
    return { outcome: 'CONSENT_REQUIRED', reason: `the consent ended at ${validUntil.toISOString()}` };
  }
  const waits = state.waits
    .filter((wait) => wait.until > state.now)
    .sort((a, b) => b.until.getTime() - a.until.getTime());
  const [longest] = waits;
  if (longest) return { outcome: 'RATE_LIMITED', reason: longest.reason, nextReadAt: longest.until };
  const { repeatOf } = state;
  // The last read is left for the next slot or an operator. A renewed token is no second try of the same thing.
  if (repeatOf && repeatOf.outcome !== 'TOKEN_REJECTED' && state.used >= state.allowed - 1) {
    return { ...repeatOf, reason: `${repeatOf.reason}; not repeated with the last read of the consent's window` };
  }
  if (state.used >= state.allowed) {
    return {
      outcome: 'BUDGET_EXHAUSTED',
      reason: `${state.used} of ${state.allowed} unattended reads are used up in the consent's window`,
      nextReadAt: state.nextBudgetAt,
    };
  }
  return undefined;
}

import type { MappedBalance } from '../balances/balance';
import type { ReadingOutcome } from '../balances/outcome';
import type { Step } from '../balances/step';
import type { ClaimedSubject } from './claim-reads';
import type { WaitingAccount } from './waiting-accounts';

/** One account's reading, before the outbox has said what becomes of its balances. */
export interface AccountReading {
  account: WaitingAccount;
  outcome: ReadingOutcome;
  reason: string | undefined;
  nextReadAt: Date | undefined;
  steps: Step[];
  balances: MappedBalance[];
}

/** What the bank asked us not to do for a while, or at all until a person acts. */
export type Stop =
  | { scope: 'account' | 'consent' | 'connection'; kind: 'wait'; reason: string; forMs: number }
  | { scope: 'consent'; kind: 'stop'; outcome: 'CONSENT_REQUIRED' | 'TOKEN_REJECTED'; reason: string }
  /** `version`: of the connection that the read was made with; a later one is not paused. */
  | { scope: 'connection'; kind: 'pause'; reason: string; version: string };

/** All that one claimed subject came to; written in one transaction. */
export interface SubjectResult {
  subject: ClaimedSubject;
  readings: AccountReading[];
  fetchedAt: Date;
  /** A call was made: its traces. */
  call: { httpStatus: number | undefined; latencyMs: number; body: string | undefined; failed: boolean } | undefined;
  /** False where nothing can have reached the bank: the read goes back to the consent's budget. */
  spent: boolean;
  /** The read is repeated within the run after this wait; the runs go on waiting. */
  repeatAfterMs: number | undefined;
  stop: Stop | undefined;
  /** Digest of the mapping settings that were used. */
  settingsHash: string;
}

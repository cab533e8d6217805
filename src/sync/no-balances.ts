import { stepOf } from '../balances/step';
import type { FailedRead } from '../providers/provider';
import { repeatAfter, toStop } from './after-failure';
import type { ClaimedSubject } from './claim-reads';
import type { AccountReading, SubjectResult } from './subject-result';
import type { WaitingAccount } from './waiting-accounts';

/** What the call itself came to, where it brought no answer to map. */
export const fetchStep = stepOf('fetch');

const NO_HASH = '';

/** A read that is not made: nothing was asked of the bank, and the outcome is known all the same. */
export function deniedResult(subject: ClaimedSubject, denial: NonNullable<ClaimedSubject['denial']>): SubjectResult {
  const { outcome, reason, nextReadAt } = denial;
  return {
    subject,
    readings: subject.accounts.map((account) =>
      account.closed ? closedReading(account) : { account, outcome, reason, nextReadAt, steps: [], balances: [] },
    ),
    fetchedAt: subject.claimedAt,
    call: undefined,
    // Nothing was asked, and no ledger row made.
    spent: true,
    repeatAfterMs: undefined,
    stop: undefined,
    settingsHash: NO_HASH,
  };
}

/** A read that brought no answer to map, with what follows from it. */
export interface UnansweredRead {
  result: FailedRead;
  fetchedAt: Date;
  call: SubjectResult['call'];
  settingsHash: string;
  /** Of the connection that the call was made with. */
  connectionVersion: string;
}

export function failedResult(subject: ClaimedSubject, failed: UnansweredRead): SubjectResult {
  const { result, fetchedAt, call, settingsHash, connectionVersion } = failed;
  const { outcome, reason, bytesMayHaveLeft: spent } = result;
  const repeatAfterMs = repeatAfter(subject, result);
  const stop = repeatAfterMs === undefined ? toStop(subject, result, connectionVersion) : undefined;
  const nextReadAt = stop?.kind === 'wait' ? new Date(fetchedAt.getTime() + stop.forMs) : undefined;
  const steps = [fetchStep`${reason}`];
  const readings = subject.accounts.map((account) =>
    account.closed ? closedReading(account) : { account, outcome, reason, nextReadAt, steps, balances: [] },
  );
  return { subject, readings, fetchedAt, call, spent, repeatAfterMs, stop, settingsHash };
}

export function closedReading(account: WaitingAccount): AccountReading {
  return {
    account,
    outcome: 'ACCOUNT_CLOSED',
    reason: 'the account is closed at the gateway',
    nextReadAt: undefined,
    steps: [],
    balances: [],
  };
}

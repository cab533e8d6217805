import { createHash } from 'node:crypto';
import { communicationNumber } from '../amlyze/communication-number';
import { buildAccountBalanceRecord } from '../amlyze/account-balance-record';
import type { RecordIdentity } from '../amlyze/installation';
import type { MappedBalance } from '../balances/balance';
import { stepOf, type Step } from '../balances/step';
import type { KeyState, LatestRecord, NewBalanceRecord, SupersedeReason } from '../outbox/enqueue';
import { amlyzeAccount, isSameAccount, nameOf, type AmlyzeAccount } from '../shared/amlyze-account';
import { compare } from '../shared/decimal';
import type { WaitingAccount, WaitingRun } from './waiting-accounts';

const step = stepOf('record');

/** The business key of a balance beside account and type: the bank's instant, or the run where the bank gives none. */
export function businessKey(
  balance: Pick<MappedBalance, 'balanceAt' | 'balanceAtSource'>,
  run: Pick<WaitingRun, 'runId' | 'slot'>,
): string {
  if (balance.balanceAtSource === 'bank') return balance.balanceAt;
  return run.slot ? `slot ${run.slot.toISOString()}` : `run ${run.runId}`;
}

const isoText = (instant: string): string => `to_char(${instant} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** What `businessKey` may have said of the balance of record `r`, as a list in SQL. */
export const KEYS_OF_RECORD = `array[${isoText('r.balance_at')}, 'run ' || r.run_id,
  'slot ' || (select ${isoText('u.slot')} from sync_run u where u.id = r.run_id)]`;

/** The day of the business key, YYYY-MM-DD in UTC. */
export function businessDate(balance: MappedBalance, run: WaitingRun): string {
  const instant = balance.balanceAtSource === 'bank' ? balance.balanceAt : (run.slot ?? run.startedAt).toISOString();
  return instant.slice(0, 10);
}

export type RecordPlan =
  | { kind: 'new'; record: Omit<NewBalanceRecord, 'readingId'>; steps: Step[] }
  | { kind: 'unchanged'; communicationNumber: string; steps: Step[] }
  | { kind: 'older'; reason: string; steps: Step[] };

export interface PlanInput {
  account: WaitingAccount;
  balance: MappedBalance;
  run: WaitingRun;
  known: KeyState;
  settingsHash: string;
  identity: RecordIdentity;
}

/**
 * Decides whether a mapped balance becomes a record: the same value for the same key does not, another value or another account at
 * AMLYZE is a new revision that names what it supersedes, and an older instant than AMLYZE has or may have is not sent. Pure.
 */
export function planRecord(input: PlanInput): RecordPlan {
  const { balance, known, run } = input;
  const { latest, newerSentAt } = known;
  if (newerSentAt && newerSentAt > new Date(balance.balanceAt)) {
    const reason = `AMLYZE has, or may have, a ${balance.balanceType} of ${newerSentAt.toISOString()}, which is newer than ${balance.balanceAt}`;
    return { kind: 'older', reason, steps: [step`no record: ${reason}`] };
  }
  // The key state was read in this transaction, so a forced run that made its revision before a crash is seen here.
  const forced = run.force && latest?.settingsHash !== forcedHash(madeWith(input), run);
  if (latest && !forced && isForAccount(latest, input) && compare(latest.value, balance.value) === 0) {
    const { communicationNumber } = latest;
    const why = step`no new record: ${communicationNumber} already carries ${latest.value} for this ${balance.balanceType}`;
    return { kind: 'unchanged', communicationNumber, steps: [why] };
  }
  return newRecord(input, latest ? { communicationNumber: latest.communicationNumber, reason: why(input) } : undefined);
}

/** What AMLYZE calls the account: as it is registered now, not as it was when the bank was asked. */
function accountNow({ account, known, identity }: PlanInput): AmlyzeAccount {
  return amlyzeAccount(known.account ?? account, identity.businessUnit);
}

/** AMLYZE has, or gets, the record for the very account that it is to have the balance for. */
function isForAccount(record: LatestRecord, input: PlanInput): boolean {
  return isSameAccount(record, accountNow(input));
}

function why(input: PlanInput): SupersedeReason {
  const { latest } = input.known;
  if (latest && !isForAccount(latest, input)) return 'settings-changed';
  if (latest && compare(latest.value, input.balance.value) === 0) return 'forced';
  return latest?.settingsHash.split('/')[0] === madeWith(input) ? 'bank-restatement' : 'settings-changed';
}

/** Digest of what we decided: the connection's settings and the bank's balance type, which an operator may pin anew. */
function madeWith({ settingsHash, balance }: PlanInput): string {
  const settings = `${settingsHash} ${balance.providerType}`;
  const known = digests.get(settings);
  if (known !== undefined) return known;
  const digest = createHash('sha256').update(settings).digest('hex').slice(0, 16);
  // One for each connection's settings and balance type: a handful, and the same for every account.
  if (digests.size >= DIGESTS_KEPT) digests.clear();
  digests.set(settings, digest);
  return digest;
}

const DIGESTS_KEPT = 1_000;
const digests = new Map<string, string>();

/** A forced run leaves its mark beside the settings' digest, so that a retry within the run does not force again. */
function forcedHash(hash: string, run: WaitingRun): string {
  return `${hash}/forced-by-run-${run.runId}`;
}

function newRecord(input: PlanInput, supersedes: NewBalanceRecord['supersedes']): RecordPlan {
  const { balance, run, identity } = input;
  const { accountId } = input.account;
  const { latest } = input.known;
  const key = businessKey(balance, run);
  const revision = (latest?.revision ?? 0) + 1;
  const { accountExtId, businessUnit } = accountNow(input);
  const number = communicationNumber({
    prefix: identity.prefix,
    installationId: identity.installationId,
    kind: 'balance',
    date: businessDate(balance, run),
    key: `${accountId}|${balance.balanceType}|${key}`,
    revision,
  });
  const payload = buildAccountBalanceRecord({
    communicationNumber: number,
    requester: identity.requester,
    balanceType: balance.balanceType,
    accountExtId,
    ...(businessUnit === undefined ? {} : { businessUnit }),
    balanceAt: balance.balanceAt,
    value: balance.value,
    ...(balance.equivalentValue === undefined ? {} : { equivalentValue: balance.equivalentValue }),
  });
  const record = {
    communicationNumber: number,
    accountId,
    accountExtId,
    businessUnit,
    runId: run.runId,
    balanceType: balance.balanceType,
    balanceAt: balance.balanceAt,
    value: balance.value,
    key,
    revision,
    supersedes,
    payload,
    settingsHash: run.force ? forcedHash(madeWith(input), run) : madeWith(input),
  };
  const made = supersedes
    ? step`a new record, revision ${revision}, supersedes ${supersedes.communicationNumber} (${supersedes.reason})`
    : step`a new record, the first for ${balance.balanceType} and ${key}`;
  const moved = latest && !isForAccount(latest, input) ? [movedStep(latest, record)] : [];
  return { kind: 'new', record, steps: [...moved, made] };
}

function movedStep(latest: LatestRecord, now: AmlyzeAccount): Step {
  return step`${latest.communicationNumber} is for ${nameOf(latest)}, and AMLYZE has this account as ${nameOf(now)} from now on`;
}

import type { DemoAccount } from '../simulators';
import type { Seen, SeenReading, SeenRecord } from './first-sync';

/** What became of one account at its first read. */
export interface AccountResult {
  account: DemoAccount;
  reading: SeenReading | undefined;
  /** The record that carries the balance of that reading. */
  record: SeenRecord | undefined;
}

/** One thing that is not as the demo foresees it. */
export interface Difference {
  /** An accountExtId, or a communicationNumber of AMLYZE's ledger. */
  about: string;
  what: string;
  foreseen: string;
  seen: string;
}

const NONE = 'none';

export function matchAccounts(accounts: readonly DemoAccount[], seen: Seen): AccountResult[] {
  const readings = Map.groupBy(seen.readings, ({ accountExtId }) => accountExtId);
  const records = new Map(seen.records.map((record) => [record.communicationNumber, record]));
  return accounts.map((account) => {
    const reading = firstOutcome(readings.get(account.accountExtId) ?? []);
    return { account, reading, record: records.get(reading?.communicationNumber ?? '') };
  });
}

/** Of the first run that read the account; a retry within the run is a reading of its own, and the last one counts. */
function firstOutcome(readings: readonly SeenReading[]): SeenReading | undefined {
  const own = readings.filter(({ outcome }) => outcome !== 'ALREADY_READ').sort(byId);
  return own.findLast(({ runId }) => runId === own[0]?.runId);
}

const byId = (a: { id: string }, b: { id: string }): number => (BigInt(a.id) < BigInt(b.id) ? -1 : 1);

/** The demo's foresight against the gateway's log, and the log against AMLYZE's ledger; empty when all is well. */
export function findDifferences(results: readonly AccountResult[], seen: Seen): Difference[] {
  return [...results.flatMap(ofAccount), ...withoutBalance(results, seen), ...ofLedger(seen)];
}

function ofAccount({ account, reading, record }: AccountResult): Difference[] {
  const { outcome, value = NONE, recordState = NONE } = account.foreseen;
  const checks = [
    { what: 'outcome', foreseen: outcome, seen: reading?.outcome, why: reading?.reason },
    { what: 'value', foreseen: value, seen: record?.value },
    { what: 'record', foreseen: recordState, seen: record?.state, why: record?.reason },
  ];
  return checks.flatMap(({ what, foreseen, seen, why }) => {
    if (foreseen === (seen ?? NONE)) return [];
    return [{ about: account.accountExtId, what, foreseen, seen: [seen ?? NONE, why].filter(Boolean).join(': ') }];
  });
}

/** A record of an account whose balance could not be told would be a made-up one. */
function withoutBalance(results: readonly AccountResult[], { records }: Seen): Difference[] {
  const unread = new Set(
    results.filter(({ account }) => account.foreseen.value === undefined).map(({ account }) => account.accountExtId),
  );
  return records
    .filter(({ accountExtId }) => accountExtId !== null && unread.has(accountExtId))
    .map(({ accountExtId, value }) => ({
      about: accountExtId ?? '',
      what: 'record without a balance',
      foreseen: NONE,
      seen: value ?? '',
    }));
}

/** `accepted` in our log and an entry in AMLYZE's ledger go together one to one, with the same digits. */
function ofLedger({ records, ledger }: Seen): Difference[] {
  const entries = Map.groupBy(ledger, ({ communicationNumber }) => communicationNumber);
  const missing = records.flatMap(({ communicationNumber, state, value }): Difference[] => {
    const here = state === 'accepted' ? (value ?? NONE) : NONE;
    const there = (entries.get(communicationNumber) ?? []).map((entry) => entry.value).join(' and ') || NONE;
    return here === there ? [] : [{ about: communicationNumber, what: "AMLYZE's ledger", foreseen: here, seen: there }];
  });
  const ours = new Set(records.map(({ communicationNumber }) => communicationNumber));
  const strangers = ledger
    .filter(({ communicationNumber }) => !ours.has(communicationNumber))
    .map(({ communicationNumber, value }) => ({
      about: communicationNumber,
      what: "AMLYZE's ledger",
      foreseen: NONE,
      seen: value,
    }));
  return [...missing, ...strangers];
}

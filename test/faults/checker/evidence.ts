import type { HistoryLine } from '../rig/history';

/** A run's account, with what came of it. */
export interface RunAccount {
  runId: string;
  accountId: string;
  accountExtId: string;
  slot: string | null;
  outcome: string | null;
  readingId: string | null;
}

export interface Reading {
  id: string;
  accountId: string;
  connectionId: string;
  runId: string | null;
  /** Of the run it belongs to. */
  runStartedAt: Date | null;
  outcome: string;
  fetchedAt: Date;
  number: string | null;
}

export interface OutboxRecord {
  id: string;
  number: string;
  kind: string;
  accountId: string | null;
  accountExtId: string | null;
  connectionId: string | null;
  readingId: string | null;
  balanceType: string | null;
  /** The business key beside account and type: the bank's instant, or the slot or run where it has none. */
  key: string | null;
  revision: number;
  supersedes: string | null;
  supersedesReason: string | null;
  state: string;
  reason: string | null;
  inDoubt: boolean;
  attempts: number;
  createdAt: Date;
  settledAt: Date | null;
  /** SHA-256 of the frozen bytes; null where they are sealed or shredded. */
  payloadHash: string | null;
  /** The digits in the frozen bytes. */
  payloadValue: string | null;
}

export interface Attempt {
  id: string;
  replica: string;
  records: number;
  startedAt: Date;
  finishedAt: Date | null;
  outcome: string | null;
}

export interface Result {
  recordId: string;
  attemptId: string;
  late: boolean;
  verdict: string;
  reason: string | null;
}

/** A read that may have reached a bank, and the consent's limit. */
export interface LedgerRead {
  requestId: string;
  subjectId: string;
  readAt: Date;
  perDay: number;
}

export interface Gateway {
  runs: { id: string; slot: string | null; accounts: number; startedAt: Date; finishedAt: Date | null }[];
  runAccounts: RunAccount[];
  readings: Reading[];
  records: OutboxRecord[];
  attempts: Attempt[];
  results: Result[];
  reads: LedgerRead[];
}

/** What AMLYZE's simulator accepted. */
export interface Accepted {
  communicationNumber: string;
  kind: 'balance' | 'operation';
  accountExtId?: string;
  balanceType?: string;
  balanceAt?: string;
  value?: string;
  at: string;
}

/** A request in a bank simulator's access log. */
export interface BankRequest {
  bank: string;
  at: string;
  path: string;
  status: number;
  account: string;
  requestId: string;
}

/** All that the verdict is made from. None of it is what the gateway says about itself but its database. */
export interface Evidence {
  gateway: Gateway;
  ledger: readonly Accepted[];
  bankRequests: readonly BankRequest[];
  history: readonly HistoryLine[];
}

export type InvariantId = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'I10';

/** What one invariant found: how many facts it looked at, and those that break it. */
export interface Finding {
  invariant: InvariantId;
  /** 0: nothing in the evidence that it could judge. */
  checked: number;
  violations: string[];
}

export type Invariant = (evidence: Evidence) => Finding;

/** Collects one invariant's facts. */
export class Facts {
  private checked = 0;
  private readonly violations: string[] = [];

  constructor(private readonly invariant: InvariantId) {}

  /** One fact; `what` says what is wrong where it does not hold. */
  hold(holds: boolean, what: () => string): void {
    this.checked += 1;
    if (!holds) this.violations.push(what());
  }

  finding(): Finding {
    return { invariant: this.invariant, checked: this.checked, violations: this.violations };
  }
}

export function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return groups;
}

export function ofKind<K extends HistoryLine['kind']>(
  history: readonly HistoryLine[],
  kind: K,
): Extract<HistoryLine, { kind: K }>[] {
  return history.filter((line): line is Extract<HistoryLine, { kind: K }> => line.kind === kind);
}

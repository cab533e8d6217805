import { closeSync, openSync, writeSync } from 'node:fs';
import type { SentItem } from './sent-items';

export type Peer = 'mypos' | 'onesingleview' | 'amlyze';

/** What a scenario may do to its replicas, stated before it begins. */
export interface Limits {
  replicas: number;
  /** Of one replica. */
  amlyzeConcurrency: number;
  amlyzeMaxAttempts: number;
  rssBytes: number;
}

/** One line of the call history. Times are ISO 8601, UTC. */
export type HistoryEvent =
  | { kind: 'limits'; limits: Limits }
  /** From now on the bank reports this for the account; `value`: the digits that AMLYZE must get, null: none at all. */
  | { kind: 'script'; bank: Peer; account: string; accountExtId: string; value: string | null }
  /** A whole request was sent to a peer. `items`: of AMLYZE's. */
  | { kind: 'call'; call: number; to: Peer; method: string; path: string; items?: SentItem[] }
  /** What was let through of its answer; status 0: none. */
  | { kind: 'return'; call: number; status: number; how: 'answered' | 'closed' | 'reset' }
  | { kind: 'admin-call'; call: number; replica: number; method: string; path: string }
  | { kind: 'admin-return'; call: number; status: number; runId?: string }
  | { kind: 'memory'; replica: number; rssBytes: number }
  /** What the suite did to the processes and the wire. */
  | { kind: 'action'; what: string }
  /** No fault is left; everything has to be settled within this time. */
  | { kind: 'healed'; withinMs: number }
  /** While this ran, reads of the connection (and their delivery, where `delivered`) had to be this quick. */
  | { kind: 'bound'; connectionId: string; p95Ms: number; from: string; to: string };

export type HistoryLine = HistoryEvent & { at: string };

/** The call history of one scenario: one JSON line per call and return. */
export class History {
  private readonly descriptor: number;
  private nextCall = 1;
  private readonly listeners = new Set<(line: HistoryLine) => void>();
  /** Kept in memory too, for scenarios that look at it while it grows. */
  readonly lines: HistoryLine[] = [];

  constructor(readonly file: string) {
    this.descriptor = openSync(file, 'a', 0o600);
  }

  add(event: HistoryEvent): void {
    const line: HistoryLine = { at: new Date().toISOString(), ...event };
    this.lines.push(line);
    writeSync(this.descriptor, `${JSON.stringify(line)}\n`);
    for (const listen of this.listeners) listen(line);
  }

  newCall(): number {
    return this.nextCall++;
  }

  /** Called for each new line, in the very moment it is written: a place to pull a trigger. Returns the end of it. */
  listen(listener: (line: HistoryLine) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): void {
    this.listeners.clear();
    closeSync(this.descriptor);
  }
}

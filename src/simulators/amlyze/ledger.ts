import { History } from '../kernel/history';
import type { BalanceItem } from './balance-item';

/** A record that AMLYZE took, in the order of acceptance. */
export interface LedgerEntry {
  readonly communicationNumber: string;
  readonly accountExtId: string;
  readonly balanceType: string;
  readonly balanceAt: string;
  /** digit for digit as it stood in the request */
  readonly value: string;
  readonly equivalentValue: string | undefined;
  readonly businessUnit: string | undefined;
  /** milliseconds since the epoch */
  readonly at: number;
  /** the request's `no` in the access log */
  readonly requestNo: number;
}

/** Why a number cannot be used again, where it is in no ledger. */
export type Burnt = 'somebody-else' | 'rejected';

/** What was accepted, and which numbers are gone. The oldest entries and their numbers go first, 8192 at a time. */
export class Ledger {
  private readonly entries: History<LedgerEntry>;
  private readonly positions = new Map<string, number>();
  private readonly burnt = new Map<string, Burnt>();
  /** Balance types, times and account ids repeat: one text each is kept. */
  private readonly texts = new Map<string, string>();

  constructor(capacity: number) {
    this.entries = new History(capacity, (entry) => this.positions.delete(entry.communicationNumber));
  }

  get end(): number {
    return this.entries.end;
  }

  get start(): number {
    return this.entries.start;
  }

  isUsed(communicationNumber: string): boolean {
    return this.positions.has(communicationNumber) || this.burnt.has(communicationNumber);
  }

  burn(communicationNumber: string, why: Burnt): void {
    if (!this.isUsed(communicationNumber)) this.burnt.set(communicationNumber, why);
  }

  accept(item: BalanceItem, at: number, requestNo: number): void {
    const entry: LedgerEntry = {
      communicationNumber: item.communicationNumber ?? '',
      accountExtId: item.accountExtId ?? '',
      balanceType: this.shared(item.balanceType ?? ''),
      balanceAt: this.shared(item.balanceAt ?? ''),
      value: item.value ?? '',
      equivalentValue: item.equivalentValue,
      businessUnit: item.businessUnit === undefined ? undefined : this.shared(item.businessUnit),
      at,
      requestNo,
    };
    this.positions.set(entry.communicationNumber, this.entries.append(entry));
  }

  find(communicationNumber: string): LedgerEntry | undefined {
    const position = this.positions.get(communicationNumber);
    return position === undefined ? undefined : this.entries.at(position);
  }

  /** Up to `limit` entries from position `offset` on that pass, and the position to go on from. */
  page(
    page: { offset: number; limit: number },
    passes: (entry: LedgerEntry) => boolean,
  ): { items: (LedgerEntry & { position: number })[]; next: number } {
    const items: (LedgerEntry & { position: number })[] = [];
    let position = Math.max(page.offset, this.start);
    for (; position < this.end && items.length < page.limit; position += 1) {
      const entry = this.entries.at(position);
      if (entry !== undefined && passes(entry)) items.push({ position, ...entry });
    }
    return { items, next: position };
  }

  clear(): void {
    this.entries.clear();
    this.positions.clear();
    this.burnt.clear();
    this.texts.clear();
  }

  private shared(text: string): string {
    const known = this.texts.get(text);
    if (known !== undefined) return known;
    if (this.texts.size < 10_000) this.texts.set(text, text);
    return text;
  }
}

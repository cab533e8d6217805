import { History } from '../kernel/history';

interface Taken {
  readonly communicationNumber: string;
  readonly businessUnit: string | undefined;
  /** milliseconds since the epoch */
  readonly at: number;
  /** the request's `no` in the access log */
  readonly requestNo: number;
}

/** A balance that AMLYZE took; numbers digit for digit as they stood in the request. */
export interface BalanceEntry extends Taken {
  readonly kind: 'balance';
  readonly accountExtId: string;
  readonly balanceType: string;
  readonly balanceAt: string;
  readonly value: string;
  readonly equivalentValue: string | undefined;
}

/** An operation that AMLYZE took; numbers digit for digit as they stood in the request. */
export interface OperationEntry extends Taken {
  readonly kind: 'operation';
  readonly operationExtId: string;
  readonly operationType: string;
  /** IMPORT in a batch, where it is implied */
  readonly sourceOfRiskLevel: string;
  readonly operationDateTime: string;
  readonly currency: string;
  readonly amount: string;
  readonly euroExchangeRate: string | undefined;
  readonly amountInEuro: string | undefined;
  readonly financialFlowDirection: string;
  readonly description: string;
  /** the screenings that were asked for and will be done; the batch endpoint does none */
  readonly screenings: readonly string[] | undefined;
  /** the parties' account numbers, in their order */
  readonly accountNumbers: readonly string[];
  readonly cardNumbers: readonly string[] | undefined;
}

/** What AMLYZE took, in the order of acceptance. */
export type LedgerEntry = BalanceEntry | OperationEntry;

/** Why a number cannot be used again, where it is in no ledger. */
export type Burnt = 'somebody-else' | 'rejected';

const operationKey = (businessUnit: string | undefined, operationExtId: string): string =>
  businessUnit === undefined ? operationExtId : `${businessUnit}\n${operationExtId}`;

/**
 * What was accepted, and which numbers and operationExtIds are gone. The oldest entries and their numbers go first, 8192
 * at a time.
 */
export class Ledger {
  private readonly entries: History<LedgerEntry>;
  private readonly positions = new Map<string, number>();
  private readonly burnt = new Map<string, Burnt>();
  private readonly operations = new Set<string>();
  /** Balance types, times and account ids repeat: one text each is kept. */
  private readonly texts = new Map<string, string>();

  constructor(capacity: number) {
    this.entries = new History(capacity, (entry) => {
      this.positions.delete(entry.communicationNumber);
      if (entry.kind === 'operation') this.operations.delete(operationKey(entry.businessUnit, entry.operationExtId));
    });
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

  hasOperation(businessUnit: string | undefined, operationExtId: string): boolean {
    return this.operations.has(operationKey(businessUnit, operationExtId));
  }

  /** An operation that somebody else registered; it is in no ledger. */
  burnOperation(businessUnit: string | undefined, operationExtId: string): void {
    this.operations.add(operationKey(businessUnit, operationExtId));
  }

  accept(entry: LedgerEntry): void {
    this.positions.set(entry.communicationNumber, this.entries.append(entry));
    if (entry.kind === 'operation') this.operations.add(operationKey(entry.businessUnit, entry.operationExtId));
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
    this.operations.clear();
    this.texts.clear();
  }

  /** The text itself, or an equal one that is kept already. */
  shared(text: string): string {
    const known = this.texts.get(text);
    if (known !== undefined) return known;
    if (this.texts.size < 10_000) this.texts.set(text, text);
    return text;
  }
}

import { FAULTS, type ActionOf, type FaultAction, type FaultKind, type FaultRule } from '../faults';
import { seededRandom } from './random';

/** What a rule is matched against: known from the path alone at first, completed by the body. */
export interface Subject {
  readonly path: string;
  readonly accounts: readonly string[];
  readonly communicationNumbers: readonly string[];
  readonly operationExtIds: readonly string[];
}

/** One item of a request to AMLYZE, as far as a rule can name it. */
export interface NamedItem {
  readonly accountExtId: string | undefined;
  readonly communicationNumber: string | undefined;
  readonly operationExtId: string | undefined;
}

const NOTHING: readonly string[] = [];
const set = (texts: string | readonly string[] | undefined): ReadonlySet<string> | undefined =>
  texts === undefined ? undefined : new Set(typeof texts === 'string' ? [texts] : texts);

export class ActiveFault {
  readonly action: FaultAction;
  /** how many numbers of each account or operation an `already-used` has taken so far */
  readonly taken = new Map<string, number>();
  fired = 0;
  private readonly accounts: ReadonlySet<string> | undefined;
  private readonly numbers: ReadonlySet<string> | undefined;
  private readonly operations: ReadonlySet<string> | undefined;
  private readonly random: (() => number) | undefined;
  private seen = 0;

  constructor(
    readonly id: number,
    readonly rule: FaultRule,
  ) {
    this.action = rule.do;
    this.accounts = set(rule.match?.account);
    this.numbers = set(rule.match?.communicationNumber);
    this.operations = set(rule.match?.operation);
    this.random = rule.match?.probability === undefined ? undefined : seededRandom(rule.match.seed ?? 1);
  }

  /** True where the rule's own conditions leave nothing that only the body could tell. */
  get decidedByPath(): boolean {
    return this.accounts === undefined && this.numbers === undefined && this.operations === undefined;
  }

  /** Whether the rule concerns this item of a request. */
  selects({ accountExtId = '', communicationNumber = '', operationExtId = '' }: NamedItem): boolean {
    return (
      (this.accounts?.has(accountExtId) ?? true) &&
      (this.numbers?.has(communicationNumber) ?? true) &&
      (this.operations?.has(operationExtId) ?? true)
    );
  }

  /** Counts a matching request and says whether the rule fires for it. */
  fires(subject: Subject): boolean {
    const match = this.rule.match;
    if (match?.path !== undefined && !subject.path.includes(match.path)) return false;
    if (this.accounts !== undefined && !subject.accounts.some((account) => this.accounts?.has(account))) return false;
    if (this.numbers !== undefined && !subject.communicationNumbers.some((n) => this.numbers?.has(n))) return false;
    if (this.operations !== undefined && !subject.operationExtIds.some((id) => this.operations?.has(id))) return false;
    this.seen += 1;
    if (this.seen <= (match?.after ?? 0)) return false;
    if (match?.times !== undefined && this.fired >= match.times) return false;
    if (this.random !== undefined && this.random() >= (match?.probability ?? 1)) return false;
    this.fired += 1;
    return true;
  }
}

export interface Fired<K extends FaultKind> {
  readonly fault: ActiveFault;
  readonly action: ActionOf<K>;
}

/** The faults that one request meets. */
export class FiredFaults {
  static readonly NONE = new FiredFaults([]);
  constructor(readonly faults: readonly ActiveFault[]) {}

  get none(): boolean {
    return this.faults.length === 0;
  }

  find<K extends FaultKind>(kind: K): Fired<K> | undefined {
    return this.all(kind)[0];
  }

  all<K extends FaultKind>(kind: K): Fired<K>[] {
    const isKind = (action: FaultAction): action is ActionOf<K> => action.kind === kind;
    return this.faults.flatMap((fault) => (isKind(fault.action) ? [{ fault, action: fault.action }] : []));
  }

  /** For the access log, e.g. `latency+drip`. */
  get note(): string {
    return this.faults.map((fault) => fault.action.kind).join('+');
  }
}

export class FaultEngine {
  private faults: ActiveFault[] = [];
  private nextId = 1;

  add(rule: FaultRule): ActiveFault {
    const fault = new ActiveFault(this.nextId, rule);
    this.nextId += 1;
    this.faults.push(fault);
    return fault;
  }

  /** Removes the rule of that id, or all of them. */
  remove(id?: number): number {
    const before = this.faults.length;
    this.faults = id === undefined ? [] : this.faults.filter((fault) => fault.id !== id);
    return before - this.faults.length;
  }

  list(): readonly ActiveFault[] {
    return this.faults;
  }

  get idle(): boolean {
    return this.faults.length === 0;
  }

  /** The connection is closed before the body is read: only for rules that the body could not change. */
  dropsAtOnce(path: string): ActiveFault | undefined {
    return this.faults.find(
      (fault) =>
        fault.action.kind === 'drop-before-read' &&
        fault.decidedByPath &&
        fault.fires({ path, accounts: NOTHING, communicationNumbers: NOTHING, operationExtIds: NOTHING }),
    );
  }

  pick(subject: Subject): FiredFaults {
    const fired = this.faults.filter(
      (fault) => !(fault.action.kind === 'drop-before-read' && fault.decidedByPath) && fault.fires(subject),
    );
    return fired.length === 0 ? FiredFaults.NONE : new FiredFaults(fired);
  }

  describe(): unknown {
    return {
      rules: this.faults.map((fault) => ({ id: fault.id, fired: fault.fired, ...fault.rule })),
      vocabulary: FAULTS,
    };
  }
}

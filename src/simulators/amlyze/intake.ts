import type { FiredFaults } from '../kernel/fault-engine';
import type { AmlyzeSettings } from './amlyze-settings';
import { numberProblem, type SentItem, type Verdict } from './item';
import type { Ledger, LedgerEntry } from './ledger';

export interface IntakeContext {
  readonly no: number;
  readonly at: number;
  readonly form: 'single' | 'batch';
  /** only what the items themselves say is looked at, and nothing is kept */
  readonly dryRun: boolean;
  readonly faults: FiredFaults;
  readonly settings: AmlyzeSettings;
  /** the value of the tenant header, for AMLYZE's words */
  readonly tenant: string;
}

/** What is particular to one kind of item. */
export interface IntakeRules<I extends SentItem> {
  /** the vendor writes a full stop after a missing field's name on the page of operations only */
  readonly fullStop: '' | '.';
  readonly failed: string;
  alreadyUsed(context: IntakeContext): Verdict;
  /** The kind's own refusal of something that is there already, beside the number. */
  exists(item: I): Verdict | undefined;
  problem(item: I, context: IntakeContext): Verdict | undefined;
  toEntry(item: I, context: IntakeContext): LedgerEntry;
}

/** Decides one item after the other, and writes what it accepts into the ledger. */
export class Intake<I extends SentItem> {
  accepted = 0;
  rejected = 0;
  /** refusals as "already used" of a number that the ledger has */
  replays = 0;
  /** replays whose content is not what the ledger has under that number */
  replaysWithOtherContent = 0;

  constructor(
    private readonly ledger: Ledger,
    private readonly rules: IntakeRules<I>,
  ) {}

  /** undefined: accepted, or acceptable in a dry run. */
  judge(item: I, context: IntakeContext): Verdict | undefined {
    return context.dryRun ? this.check(item, context) : this.take(item, context);
  }

  private take(item: I, context: IntakeContext): Verdict | undefined {
    const verdict = this.verdict(item, context);
    if (verdict === undefined) {
      this.accept(item, context);
      return undefined;
    }
    this.rejected += 1;
    const number = item.communicationNumber;
    if (context.settings.rejectedConsumesNumber && number !== undefined) this.ledger.burn(number, 'rejected');
    return verdict;
  }

  private check(item: I, context: IntakeContext): Verdict | undefined {
    return (
      numberProblem(item, this.rules.fullStop) ??
      this.faultVerdict(item, context) ??
      unitProblem(item, context) ??
      this.rules.problem(item, context)
    );
  }

  reset(): void {
    this.accepted = 0;
    this.rejected = 0;
    this.replays = 0;
    this.replaysWithOtherContent = 0;
  }

  private accept(item: I, context: IntakeContext): void {
    this.ledger.accept(this.rules.toEntry(item, context));
    this.accepted += 1;
  }

  private verdict(item: I, context: IntakeContext): Verdict | undefined {
    const aboutNumber = numberProblem(item, this.rules.fullStop);
    if (aboutNumber !== undefined) return aboutNumber;
    const number = item.communicationNumber ?? '';
    this.burnFor(item, number, context.faults);
    if (this.ledger.isUsed(number)) {
      this.countReplay(item, context);
      return this.rules.alreadyUsed(context);
    }
    return (
      this.faultVerdict(item, context) ??
      unitProblem(item, context) ??
      this.rules.problem(item, context) ??
      this.rules.exists(item)
    );
  }

  /** `already-used`: numbers that somebody else has taken before us. */
  private burnFor(item: I, number: string, faults: FiredFaults): void {
    if (faults.none) return;
    const subject = item.accountExtId ?? item.operationExtId ?? '';
    for (const { fault, action } of faults.all('already-used')) {
      const taken = fault.taken.get(subject) ?? 0;
      if (taken >= (action.each ?? 1) || !fault.selects(item) || this.ledger.isUsed(number)) continue;
      fault.taken.set(subject, taken + 1);
      this.ledger.burn(number, 'somebody-else');
    }
  }

  private countReplay(item: I, context: IntakeContext): void {
    const known = this.ledger.find(item.communicationNumber ?? '');
    if (known === undefined) return;
    this.replays += 1;
    if (!sameContent(known, this.rules.toEntry(item, context))) this.replaysWithOtherContent += 1;
  }

  private faultVerdict(item: I, context: IntakeContext): Verdict | undefined {
    const { faults } = context;
    if (faults.none) return undefined;
    if (faults.find('tenant-error') !== undefined) return unknownUnit(item, context.tenant);
    const refuse = faults.all('reject-items').find(({ fault }) => fault.selects(item));
    if (refuse !== undefined) {
      const { errorCode, errorDescription } = refuse.action;
      return { errorCode, errorDescription };
    }
    const failed = faults.all('failed-processing').find(({ fault }) => fault.selects(item));
    if (failed === undefined) return undefined;
    // Accepted in truth, while the answer says that something went wrong.
    if (!context.dryRun && failed.action.afterCommit === true && this.rules.problem(item, context) === undefined) {
      this.accept(item, context);
    }
    return { errorCode: '500', errorDescription: this.rules.failed };
  }
}

/** When and by which request something came is no part of its content. */
function sameContent(one: LedgerEntry, other: LedgerEntry): boolean {
  const content = (entry: LedgerEntry): string => JSON.stringify({ ...entry, at: 0, requestNo: 0 });
  return content(one) === content(other);
}

function unitProblem(item: SentItem, { settings, tenant }: IntakeContext): Verdict | undefined {
  const { businessUnits } = settings;
  if (businessUnits === null || businessUnits.includes(item.businessUnit ?? '')) return undefined;
  return item.businessUnit === undefined
    ? { errorCode: '', errorDescription: 'Business unit is mandatory.' }
    : unknownUnit(item, tenant);
}

function unknownUnit({ businessUnit = '' }: SentItem, tenant: string): Verdict {
  return { errorCode: '', errorDescription: `Tenant ’${tenant}’ business unit ’${businessUnit}’ does not exist.` };
}

import type { FiredFaults } from '../kernel/fault-engine';
import type { AmlyzeSettings } from './amlyze-settings';
import { type BalanceItem, fieldProblem, numberProblem, type Verdict } from './balance-item';
import type { Ledger } from './ledger';
import { ALREADY_USED } from './results';

export interface AmlyzeAccount {
  readonly accountExtId: string;
  readonly currency: string | undefined;
}

export interface IntakeContext {
  readonly no: number;
  readonly at: number;
  readonly faults: FiredFaults;
  readonly settings: AmlyzeSettings;
  /** the value of the tenant header, for AMLYZE's words */
  readonly tenant: string;
}

/** Decides one item after the other, and writes what it accepts into the ledger. */
export class Intake {
  accepted = 0;
  rejected = 0;
  /** refusals as "already used" of a number that the ledger has */
  replays = 0;
  /** replays whose content is not what the ledger has under that number */
  replaysWithOtherContent = 0;

  constructor(
    private readonly ledger: Ledger,
    private readonly accounts: ReadonlyMap<string, AmlyzeAccount>,
  ) {}

  /** undefined: accepted. */
  take(item: BalanceItem, request: IntakeContext): Verdict | undefined {
    const verdict = this.judge(item, request);
    if (verdict === undefined) {
      this.accept(item, request);
      return undefined;
    }
    this.rejected += 1;
    const number = item.communicationNumber;
    if (request.settings.rejectedConsumesNumber && number !== undefined) this.ledger.burn(number, 'rejected');
    return verdict;
  }

  reset(): void {
    this.accepted = 0;
    this.rejected = 0;
    this.replays = 0;
    this.replaysWithOtherContent = 0;
  }

  private accept(item: BalanceItem, request: IntakeContext): void {
    // The registered text instead of the request's own: a ledger of a million records has few accounts.
    const accountExtId = this.accounts.get(item.accountExtId ?? '')?.accountExtId ?? item.accountExtId;
    this.ledger.accept({ ...item, accountExtId }, request.at, request.no);
    this.accepted += 1;
  }

  private judge(item: BalanceItem, request: IntakeContext): Verdict | undefined {
    const aboutNumber = numberProblem(item);
    if (aboutNumber !== undefined) return aboutNumber;
    const number = item.communicationNumber ?? '';
    this.burnFor(item, number, request.faults);
    if (this.ledger.isUsed(number)) {
      this.countReplay(item, number);
      return ALREADY_USED;
    }
    return this.faultVerdict(item, request) ?? fieldProblem(item) ?? this.unknownProblem(item, request);
  }

  /** `already-used`: numbers that somebody else has taken before us. */
  private burnFor(item: BalanceItem, number: string, faults: FiredFaults): void {
    if (faults.none) return;
    const account = item.accountExtId ?? '';
    for (const { fault, action } of faults.all('already-used')) {
      const taken = fault.taken.get(account) ?? 0;
      if (taken >= (action.each ?? 1) || !fault.selects(account, number) || this.ledger.isUsed(number)) continue;
      fault.taken.set(account, taken + 1);
      this.ledger.burn(number, 'somebody-else');
    }
  }

  private countReplay(item: BalanceItem, number: string): void {
    const known = this.ledger.find(number);
    if (known === undefined) return;
    this.replays += 1;
    const same =
      known.accountExtId === item.accountExtId &&
      known.balanceType === item.balanceType &&
      known.balanceAt === item.balanceAt &&
      known.value === item.value &&
      known.equivalentValue === item.equivalentValue &&
      known.businessUnit === item.businessUnit;
    if (!same) this.replaysWithOtherContent += 1;
  }

  private faultVerdict(item: BalanceItem, request: IntakeContext): Verdict | undefined {
    const { faults } = request;
    if (faults.none) return undefined;
    const [account, number] = [item.accountExtId ?? '', item.communicationNumber ?? ''];
    if (faults.find('tenant-error') !== undefined) return unknownUnit(item, request.tenant);
    const refuse = faults.all('reject-items').find(({ fault }) => fault.selects(account, number));
    if (refuse !== undefined) {
      const { errorCode, errorDescription } = refuse.action;
      return { errorCode, errorDescription };
    }
    const failed = faults.all('failed-processing').find(({ fault }) => fault.selects(account, number));
    if (failed === undefined) return undefined;
    // Accepted in truth, while the answer says that something went wrong.
    if (failed.action.afterCommit === true && fieldProblem(item) === undefined) {
      this.accept(item, request);
    }
    return { errorCode: '500', errorDescription: 'failed processing account balance' };
  }

  private unknownProblem(item: BalanceItem, request: IntakeContext): Verdict | undefined {
    const { businessUnits } = request.settings;
    if (businessUnits !== null && !businessUnits.includes(item.businessUnit ?? '')) {
      return item.businessUnit === undefined
        ? { errorCode: '', errorDescription: 'Business unit is mandatory.' }
        : unknownUnit(item, request.tenant);
    }
    if (this.accounts.has(item.accountExtId ?? '')) return undefined;
    return { errorCode: '404', errorDescription: 'Account with given extId does not exist' };
  }
}

function unknownUnit(item: BalanceItem, tenant: string): Verdict {
  const unit = item.businessUnit ?? '';
  return { errorCode: '', errorDescription: `Tenant ’${tenant}’ business unit ’${unit}’ does not exist.` };
}

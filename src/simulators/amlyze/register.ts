import type { AccountRegister } from './accounts';
import type { BalanceItem } from './balance-item';
import { balanceRules } from './balance-rules';
import { Intake, type IntakeContext } from './intake';
import type { Ledger } from './ledger';
import type { OperationItem } from './operation-item';
import { operationRules } from './operation-rules';
import type { Items } from './requests';
import { type Listed, resultOf } from './results';

/** Where balances and operations are taken in; the numbers are one pool. */
export class Register {
  private readonly balances: Intake<BalanceItem>;
  private readonly operations: Intake<OperationItem>;

  constructor(ledger: Ledger, accounts: AccountRegister) {
    this.balances = new Intake(ledger, balanceRules(ledger, accounts));
    this.operations = new Intake(ledger, operationRules(ledger, accounts));
  }

  /** Decides the first `count` items, all unless given, in their order. */
  judge(items: Items, context: IntakeContext, count?: number): Listed[] {
    return items.kind === 'balance'
      ? items.list.slice(0, count).map((item) => resultOf(item, 'balance', this.balances.judge(item, context)))
      : items.list.slice(0, count).map((item) => resultOf(item, 'operation', this.operations.judge(item, context)));
  }

  reset(): void {
    this.balances.reset();
    this.operations.reset();
  }

  /** Of both kinds together; `operations` says how many of the accepted are operations. */
  counts(): Record<string, number> {
    const { balances, operations } = this;
    return {
      accepted: balances.accepted + operations.accepted,
      rejected: balances.rejected + operations.rejected,
      replays: balances.replays + operations.replays,
      replaysWithOtherContent: balances.replaysWithOtherContent + operations.replaysWithOtherContent,
      operations: operations.accepted,
    };
  }
}

import type { Fields } from '../kernel/fields';

export interface AmlyzeAccount {
  readonly accountExtId: string;
  readonly currency: string | undefined;
  /** as a party of an operation names it */
  readonly accountNumber: string | undefined;
  /** of the customer who owns it: INDIVIDUAL, ORGANIZATION; undefined: not compared */
  readonly entityType: string | undefined;
  /** false: AMLYZE has the account and has lost its customer */
  readonly customerKnown: boolean;
}

/** The accounts of the institution's customers, by accountExtId, and by accountNumber where they have one. */
export class AccountRegister extends Map<string, AmlyzeAccount> {
  private readonly numbers = new Map<string, AmlyzeAccount>();

  byNumber(accountNumber: string | undefined): AmlyzeAccount | undefined {
    return accountNumber === undefined ? undefined : this.numbers.get(accountNumber);
  }

  override set(accountExtId: string, account: AmlyzeAccount): this {
    const former = this.get(accountExtId)?.accountNumber;
    if (former !== undefined) this.numbers.delete(former);
    if (account.accountNumber !== undefined) this.numbers.set(account.accountNumber, account);
    return super.set(accountExtId, account);
  }

  override clear(): void {
    this.numbers.clear();
    super.clear();
  }
}

/** `{accountExtId, currency?, accountNumber?, entityType?, customerKnown?}`; what is left out keeps its former value. */
export function accountFrom(given: Fields, former: AmlyzeAccount | undefined): AmlyzeAccount {
  return {
    accountExtId: given.text('accountExtId'),
    currency: given.optionalText('currency') ?? former?.currency,
    accountNumber: given.optionalText('accountNumber') ?? former?.accountNumber,
    entityType: given.optionalText('entityType') ?? former?.entityType,
    customerKnown: given.flag('customerKnown', former?.customerKnown ?? true),
  };
}

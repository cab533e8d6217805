/** What AMLYZE calls an account. An operator may change it: then AMLYZE sees another account from there on. */
export interface AmlyzeAccount {
  accountExtId: string;
  businessUnit: string | undefined;
}

/**
 * An account as AMLYZE is to see it: its records carry its own business unit, or else the configured one.
 *
 * @param configured AMLYZE_BUSINESS_UNIT
 */
export function amlyzeAccount(
  { accountExtId, businessUnit }: { accountExtId: string; businessUnit?: string | null | undefined },
  configured: string | undefined,
): AmlyzeAccount {
  return { accountExtId, businessUnit: businessUnit ?? configured };
}

export function isSameAccount(one: AmlyzeAccount, other: AmlyzeAccount): boolean {
  return one.accountExtId === other.accountExtId && one.businessUnit === other.businessUnit;
}

/** An account at AMLYZE, for people. */
export function nameOf({ accountExtId, businessUnit }: AmlyzeAccount): string {
  return businessUnit === undefined ? accountExtId : `${accountExtId} of business unit ${businessUnit}`;
}

/** Reason of a held record, and of one under way that is to be held unless AMLYZE gets it: its account has another name at AMLYZE now. */
export const ACCOUNT_CHANGED = 'ACCOUNT_CHANGED';

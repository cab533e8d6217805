import type { AccountRegister } from './accounts';
import { type BalanceItem, balanceProblem } from './balance-item';
import type { IntakeRules } from './intake';
import type { Verdict } from './item';
import type { Ledger } from './ledger';

export const ALREADY_USED = 'CommunicationNumber already used in amlyze';
const UNKNOWN_ACCOUNT: Verdict = { errorCode: '404', errorDescription: 'Account with given extId does not exist' };

export function balanceRules(ledger: Ledger, accounts: AccountRegister): IntakeRules<BalanceItem> {
  return {
    fullStop: '',
    failed: 'failed processing account balance',
    alreadyUsed: () => ({ errorCode: 'O005', errorDescription: ALREADY_USED }),
    exists: () => undefined,
    problem: (item) => balanceProblem(item) ?? (accounts.has(item.accountExtId ?? '') ? undefined : UNKNOWN_ACCOUNT),
    toEntry: (item, { at, no }) => ({
      kind: 'balance',
      communicationNumber: item.communicationNumber ?? '',
      // The registered text instead of the request's own: a ledger of a million records has few accounts.
      accountExtId: accounts.get(item.accountExtId ?? '')?.accountExtId ?? item.accountExtId ?? '',
      balanceType: ledger.shared(item.balanceType ?? ''),
      balanceAt: ledger.shared(item.balanceAt ?? ''),
      value: item.value ?? '',
      equivalentValue: item.equivalentValue,
      businessUnit: item.businessUnit === undefined ? undefined : ledger.shared(item.businessUnit),
      at,
      requestNo: no,
    }),
  };
}

import type { AccountRegister } from './accounts';
import { ALREADY_USED } from './balance-rules';
import type { IntakeRules } from './intake';
import type { Ledger } from './ledger';
import type { OperationItem } from './operation-item';
import { operationProblem } from './operation-problem';

const EXISTS = { errorCode: 'O005', errorDescription: 'Operation with given OperationExtId already exists' };

export function operationRules(ledger: Ledger, accounts: AccountRegister): IntakeRules<OperationItem> {
  return {
    fullStop: '.',
    failed: 'Processing failed',
    // O001 stands on the page of the single endpoint, O005 in the samples of batches.
    alreadyUsed: ({ form }) => ({ errorCode: form === 'single' ? 'O001' : 'O005', errorDescription: ALREADY_USED }),
    exists: ({ businessUnit, operationExtId = '' }) =>
      ledger.hasOperation(businessUnit, operationExtId) ? EXISTS : undefined,
    problem: (item, { settings, form }) => operationProblem(item, { settings, form, accounts }),
    toEntry: (item, { at, no, form }) => {
      const { fields, parties = [] } = item;
      const shared = (name: string): string => ledger.shared(fields.text(name) ?? '');
      const texts = (list: readonly (string | undefined)[]): string[] => list.flatMap((text) => text ?? []);
      const screenings = texts((fields.list('initializeScreeningProcesses') ?? []).map(String));
      const cardNumbers = texts(parties.map((party) => party.text('cardNumber')));
      return {
        kind: 'operation',
        communicationNumber: item.communicationNumber ?? '',
        operationExtId: item.operationExtId ?? '',
        businessUnit: item.businessUnit === undefined ? undefined : shared('businessUnit'),
        operationType: shared('operationType'),
        sourceOfRiskLevel: form === 'single' ? shared('sourceOfRiskLevel') : 'IMPORT',
        operationDateTime: fields.text('operationDateTime') ?? '',
        currency: shared('currency'),
        amount: fields.number('amount') ?? '',
        euroExchangeRate: fields.number('euroExchangeRate'),
        amountInEuro: fields.number('amountInEuro'),
        financialFlowDirection: shared('financialFlowDirection'),
        description: fields.text('description') ?? '',
        screenings: form === 'single' && screenings.length > 0 ? screenings : undefined,
        accountNumbers: texts(parties.map((party) => party.text('accountNumber'))),
        cardNumbers: cardNumbers.length > 0 ? cardNumbers : undefined,
        at,
        requestNo: no,
      };
    },
  };
}

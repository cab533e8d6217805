import type { AccountRegister } from './accounts';
import type { AmlyzeSettings } from './amlyze-settings';
import { isDateTime, type ItemFields, type Verdict, wrong } from './item';
import type { OperationItem } from './operation-item';
import { partyProblem } from './operation-parties';

const TEXTS = [
  ...['communicationNumber', 'requester', 'businessUnit', 'operationExtId', 'action', 'operationType'],
  ...['cardOperationSubType', 'riskManagementCategory', 'sourceOfRiskLevel', 'operationStatus', 'riskLevel'],
  ...['operationDateTime', 'sourceCountry', 'destinationCountry', 'currency', 'financialFlowDirection', 'description'],
  ...['ipAddress', 'ipAddressCountry', 'terminalExtId', 'terminalCode', 'merchantExtId', 'merchantCode'],
  ...['merchantDescription', 'merchantName', 'merchantCountryCode', 'salesPointExtId', 'salesPointCode'],
  ...['dateAuthorized', 'dateSettled'],
];
const NUMBERS = ['amount', 'euroExchangeRate', 'amountInEuro', 'amountInEquivalent', 'exchangeRate'];
const STATUSES = ['EXECUTED', 'REJECTED'];
const RISK_LEVELS = ['NONE', 'LOW', 'MEDIUM', 'HIGH', 'EXTREME'];
const SCREENINGS = ['PEP', 'ADVERSE_MEDIA', 'SANCTIONS', 'INTERNAL_LIST'];

/** What an operation is judged against. */
export interface OperationScene {
  /** the batch endpoints imply IMPORT and know no sourceOfRiskLevel */
  readonly form: 'single' | 'batch';
  readonly settings: AmlyzeSettings;
  readonly accounts: AccountRegister;
}

/**
 * What AMLYZE would refuse about an operation beside its number, in the words of the vendor's page of card payments. That
 * page shows no codes beside the words; they are `001` here, and `O006` for the parties, after an older sample.
 */
export function operationProblem(item: OperationItem, scene: OperationScene): Verdict | undefined {
  return (
    generalProblem(item, scene) ??
    codeProblem(item.fields, scene) ??
    moneyProblem(item.fields) ??
    directionProblem(item.fields) ??
    partyProblem(item, scene)
  );
}

function generalProblem({ fields, operationExtId }: OperationItem, { form }: OperationScene): Verdict | undefined {
  const mistyped = fields.mistyped({ texts: TEXTS, numbers: NUMBERS });
  if (mistyped !== undefined) return wrong(`${mistyped} is not of its documented type`);
  const requester = fields.text('requester');
  if (requester === undefined) return wrong('Requester is mandatory.');
  if (requester.length > 100) return wrong('Requester is longer than 100 characters');
  if (form === 'single' && !['IMPORT', 'EVALUATE'].includes(fields.text('sourceOfRiskLevel') ?? '')) {
    return wrong('SourceOfRiskLevel is mandatory, allowed values: IMPORT / EVALUATE.');
  }
  if (operationExtId === undefined) return wrong('OperationExtId is mandatory.');
  if (operationExtId.length > 255) return wrong('OperationExtId is longer than 255 characters');
  const description = fields.text('description');
  if (description === undefined) return wrong('Description is mandatory.');
  if (description.length > 550) return wrong('Description is longer than 550 characters');
  if (!isDateTime(fields.text('operationDateTime') ?? '')) return wrong('OperationDateTime is mandatory.');
  if (!STATUSES.includes(fields.text('operationStatus') ?? '')) return wrong('OperationStatus is mandatory.');
  if (!RISK_LEVELS.includes(fields.text('riskLevel') ?? 'NONE')) return wrong('RiskLevel is not one of its values');
  if (fields.has('action') && fields.text('action') !== 'CREATE') return wrong('Action UPDATE is not simulated');
  const screenings = fields.list('initializeScreeningProcesses') ?? [];
  const known = screenings.every((screening) => SCREENINGS.some((each) => each === screening));
  return known ? undefined : wrong('InitializeScreeningProcesses has an unknown value');
}

/** A classifier that is not set takes every code of its form. */
function inClassifier(code: string | undefined, classifier: readonly string[] | null, form: RegExp): boolean {
  return code !== undefined && (classifier?.includes(code) ?? form.test(code));
}

function codeProblem(fields: ItemFields, { settings, form }: OperationScene): Verdict | undefined {
  const type = fields.text('operationType');
  if (type === undefined) return wrong('OperationType is mandatory.');
  if (!settings.operationTypes.includes(type)) {
    const rest = `${type} is not defined in Amlyze. Check Operation type classifier for available values.`;
    // The vendor's list has both forms, and no word of when which one is used.
    return wrong(form === 'single' ? `operationType ${rest}` : `Problem with OperationType (${type}): ${rest}`);
  }
  const subType = fields.text('cardOperationSubType');
  if (type === 'CARD_PAYMENT' && !inClassifier(subType, settings.cardOperationSubTypes, /./)) {
    return wrong('CardOperationSubType is mandatory, check classifier for allowed values.');
  }
  const category = fields.text('riskManagementCategory');
  if (category === undefined) return wrong('RiskManagementCategory is mandatory.');
  if (settings.customerRiskCategories.includes(category)) {
    return wrong('RiskManagementCategory does not support Operation.');
  }
  if (!inClassifier(category, settings.riskManagementCategories, /./)) {
    return wrong('RiskManagementCategory does not exist in Amlyze.');
  }
  for (const [field, name] of [
    ['sourceCountry', 'SourceCountry'],
    ['destinationCountry', 'DestinationCountry'],
  ] as const) {
    if (!inClassifier(fields.text(field), settings.countries, /^[A-Z]{2}$/)) {
      return wrong(`${name} is mandatory, check country classifier codes for allowed values.`);
    }
  }
  const merchant = fields.text('merchantCountryCode');
  if (merchant !== undefined && !inClassifier(merchant, settings.countries, /^[A-Z]{2}$/)) {
    return wrong('Invalid MerchantCountryCode.');
  }
  return inClassifier(fields.text('currency'), settings.currencies, /^[A-Z]{3}$/)
    ? undefined
    : wrong('Currency is mandatory, check Currency classifier codes for allowed values.');
}

/** Digits and sign alone decide, so that no amount passes through a binary number. */
function isPositive(decimal: string | undefined): boolean {
  return decimal !== undefined && !decimal.startsWith('-') && /[1-9]/.test(decimal.replace(/e.*$/i, ''));
}

/** 1.50 and 1.5 are the same; exponents are compared as they stand. */
function isSame(one: string, other: string): boolean {
  const plain = (decimal: string): string => (/[.]/.test(decimal) ? decimal.replace(/\.?0+$/, '') : decimal);
  return plain(one) === plain(other);
}

function moneyProblem(fields: ItemFields): Verdict | undefined {
  const [amount, rate, inEuro] = [
    fields.number('amount'),
    fields.number('euroExchangeRate'),
    fields.number('amountInEuro'),
  ];
  if (amount === undefined || !isPositive(amount)) return wrong('Amount is mandatory and must be greater than 0.');
  if (fields.text('currency') === 'EUR') {
    const differs = inEuro !== undefined && !isSame(inEuro, amount);
    return differs ? wrong('Despite currency = EUR, AmountInEur differs from Amount.') : undefined;
  }
  if (!isPositive(inEuro)) return wrong('AmountInEur is mandatory and must be greater than 0.');
  return isPositive(rate) ? undefined : wrong('EuroExchangeRate is mandatory and must be greater than 0.');
}

function directionProblem(fields: ItemFields): Verdict | undefined {
  const direction = fields.text('financialFlowDirection') ?? 'NULL';
  if (direction === 'INCOMING' || direction === 'OUTGOING') return undefined;
  if (direction !== 'NULL') return wrong('FinancialFlowDirection is not one of its values');
  return fields.text('operationType') === 'INTERNAL'
    ? undefined
    : wrong('For non-INTERNAL operation, financialFlowDirection value cannot be ‘NULL’.');
}

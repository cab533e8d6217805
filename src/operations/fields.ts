import * as kind from './field-kinds';
import type { FieldKind } from './field-kinds';
import {
  ENTITY_TYPES,
  FLOW_DIRECTIONS,
  OPERATION_STATUSES,
  PARTY_ROLES,
  RISK_LEVELS,
  SCREENING_PROCESSES,
  type Operation,
  type OperationParty,
  type OperationRules,
} from './operation';

export interface Field<Name extends string = string> {
  name: Name;
  /** `by-rule`: a rule over several fields decides, see the rule files. */
  required: boolean | 'by-rule' | ((rules: OperationRules) => boolean);
  read: FieldKind;
  /** A number in the JSON text, kept as a decimal text in between. */
  decimal?: boolean;
  /** A time, kept as it was given. */
  instant?: boolean;
}

/** Of AMLYZE's pages the stricter bound where they differ: one says 256 for the number, one 255. */
const ID_MAX = 255;
/** AMLYZE says nothing of the length of these; ours is there because everything has one. */
const OWN_MAX = 1_000;

const id = kind.identifier(ID_MAX);
const text = kind.freeText(OWN_MAX);
const country = kind.code('country');
const required = true;
const decimal = true;
const instant = true;

/** Every field of a card payment but its parties, in the order in which AMLYZE's page lists them and we write them. */
export const OPERATION_FIELDS: readonly Field<Exclude<keyof Operation, 'listOperationParty'>>[] = [
  { name: 'communicationNumber', required: false, read: kind.callerNumber(ID_MAX) },
  { name: 'requester', required: false, read: kind.identifier(100) },
  { name: 'businessUnit', required: false, read: kind.code('businessUnit') },
  { name: 'operationExtId', required, read: id },
  { name: 'operationType', required, read: kind.code('operationType') },
  { name: 'cardOperationSubType', required, read: kind.code('cardOperationSubType') },
  { name: 'riskManagementCategory', required, read: kind.code('riskManagementCategory') },
  { name: 'operationStatus', required, read: kind.oneOf(OPERATION_STATUSES) },
  { name: 'riskLevel', required: false, read: kind.oneOf(RISK_LEVELS) },
  { name: 'operationDateTime', required, instant, read: kind.instant },
  { name: 'sourceCountry', required: (rules) => rules.countriesRequired, read: country },
  { name: 'destinationCountry', required: (rules) => rules.countriesRequired, read: country },
  { name: 'currency', required, read: kind.code('currency') },
  { name: 'amount', required, decimal, read: kind.positiveDecimal },
  { name: 'euroExchangeRate', required: 'by-rule', decimal, read: kind.positiveDecimal },
  { name: 'amountInEuro', required: 'by-rule', decimal, read: kind.positiveDecimal },
  { name: 'amountInEquivalent', required: false, decimal, read: kind.positiveDecimal },
  { name: 'exchangeRate', required: false, decimal, read: kind.positiveDecimal },
  { name: 'financialFlowDirection', required, read: kind.oneOf(FLOW_DIRECTIONS) },
  { name: 'initializeScreeningProcesses', required: false, read: kind.setOf(SCREENING_PROCESSES) },
  { name: 'description', required, read: kind.freeText(550) },
  { name: 'ipAddress', required: false, read: kind.ipAddress },
  { name: 'ipAddressCountry', required: false, read: country },
  { name: 'terminalExtId', required: false, read: id },
  { name: 'terminalCode', required: false, read: id },
  { name: 'merchantExtId', required: false, read: id },
  { name: 'merchantCode', required: false, read: id },
  { name: 'merchantDescription', required: false, read: text },
  { name: 'merchantName', required: false, read: text },
  { name: 'merchantCountryCode', required: false, read: country },
  { name: 'salesPointExtId', required: false, read: id },
  { name: 'salesPointCode', required: false, read: id },
  { name: 'dateAuthorized', required: false, instant, read: kind.instant },
  { name: 'dateSettled', required: false, instant, read: kind.instant },
  { name: 'fastPayment', required: false, read: kind.flag },
];

export const PARTY_FIELDS: readonly Field<keyof OperationParty>[] = [
  { name: 'partyRole', required, read: kind.oneOf(PARTY_ROLES) },
  { name: 'entityType', required, read: kind.oneOf(ENTITY_TYPES) },
  { name: 'accountNumber', required: 'by-rule', read: id },
  { name: 'accountExtId', required: false, read: id },
  { name: 'bic', required: false, read: kind.bic },
  { name: 'currency', required: false, read: kind.code('currency') },
  { name: 'bankTitle', required: false, read: text },
  { name: 'address', required: false, read: text },
  { name: 'country', required: false, read: country },
  { name: 'firstName', required: 'by-rule', read: text },
  { name: 'lastName', required: 'by-rule', read: text },
  { name: 'title', required: 'by-rule', read: text },
  { name: 'identifier', required: 'by-rule', read: id },
  { name: 'cardNumber', required: false, read: kind.cardData(kind.cardNumber) },
  { name: 'cardValidTill', required: false, read: kind.cardData(kind.calendarDate) },
  { name: 'cardHolderName', required: false, read: kind.cardData(text) },
];

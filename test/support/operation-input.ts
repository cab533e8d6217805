import { Environment } from '../../src/config/environment';
import { operationRules } from '../../src/operations/classifiers';
import type { OperationRules } from '../../src/operations/operation';
import { JsonNumber, type JsonObject, type JsonValue } from '../../src/shared/json';

/** What a test writes down: undefined removes the key, a number becomes its JSON text. */
export type Given = null | undefined | boolean | number | string | JsonNumber | Given[] | { [key: string]: Given };

export const NOW = new Date('2026-03-10T12:00:00Z');

/** The example of AMLYZE's page of card payments, between two parties as its samples have them. */
export const EXAMPLE: Readonly<Record<string, Given>> = {
  operationExtId: 'Op_01_CARD_TEST',
  operationType: 'CARD_PAYMENT',
  cardOperationSubType: 'CARD_PURCHASE',
  riskManagementCategory: 'OP_TRANSFER',
  sourceOfRiskLevel: 'IMPORT',
  operationStatus: 'EXECUTED',
  riskLevel: 'LOW',
  operationDateTime: '2024-08-16T13:00:00Z',
  sourceCountry: 'LT',
  destinationCountry: 'LT',
  currency: 'EUR',
  amount: 1499,
  financialFlowDirection: 'INCOMING',
  initializeScreeningProcesses: ['PEP', 'ADVERSE_MEDIA'],
  description: "Invoice '02'",
  ipAddress: '192.0.2.7',
  ipAddressCountry: 'LT',
  terminalExtId: 't_extid_145',
  terminalCode: '57455',
  merchantExtId: 'External_0112',
  merchantCode: '5541',
  merchantDescription: 'Ecommerce merchants',
  merchantName: 'Costco',
  merchantCountryCode: 'ES',
  salesPointExtId: 'S_extid_0145',
  salesPointCode: '54574',
};

export const CREDITOR: Readonly<Record<string, Given>> = {
  partyRole: 'CREDITOR',
  entityType: 'INDIVIDUAL',
  accountNumber: 'LT121000011101001000',
  bic: 'AGBLLT2X',
  firstName: 'Eduardo',
  lastName: 'Rodrigues',
  country: 'LT',
};
export const DEBTOR: Readonly<Record<string, Given>> = {
  partyRole: 'DEBTOR',
  entityType: 'ORGANIZATION',
  accountNumber: 'ES9121000418450200051332',
  title: 'Costco Iberia',
};

export function operationInput(changes: Record<string, Given> = {}): JsonObject {
  return object({ ...EXAMPLE, listOperationParty: [CREDITOR, DEBTOR], ...changes });
}

/** The example whose creditor (first) and debtor (second) differ as given. */
export function withParties(creditor: Record<string, Given>, debtor: Record<string, Given> = {}): JsonObject {
  return operationInput({
    listOperationParty: [
      { ...CREDITOR, ...creditor },
      { ...DEBTOR, ...debtor },
    ],
  });
}

/** The rules of an installation that changed nothing but what is given. */
export function rules(changes: Partial<OperationRules> = {}): OperationRules {
  return { ...operationRules(new Environment(), NOW), ...changes };
}

function json(given: Given): JsonValue {
  if (given === undefined) throw new TypeError('undefined stands for an absent key only');
  if (typeof given === 'number') return new JsonNumber(String(given));
  if (given === null || typeof given !== 'object' || given instanceof JsonNumber) return given;
  return Array.isArray(given) ? given.map(json) : object(given);
}

function object(members: Readonly<Record<string, Given>>): JsonObject {
  const result = Object.create(null) as JsonObject;
  for (const [key, value] of Object.entries(members)) if (value !== undefined) result[key] = json(value);
  return result;
}

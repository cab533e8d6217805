import type { Decimal } from '../shared/decimal';
import type { Pan } from './pan';

export const OPERATION_STATUSES = ['EXECUTED', 'REJECTED'] as const;
export const RISK_LEVELS = ['NONE', 'LOW', 'MEDIUM', 'HIGH', 'EXTREME'] as const;
export const FLOW_DIRECTIONS = ['INCOMING', 'OUTGOING'] as const;
export const SCREENING_PROCESSES = ['PEP', 'ADVERSE_MEDIA', 'SANCTIONS', 'INTERNAL_LIST'] as const;
export const PARTY_ROLES = ['DEBTOR', 'CREDITOR', 'ULTIMATE_DEBTOR', 'ULTIMATE_CREDITOR'] as const;
export const ENTITY_TYPES = ['INDIVIDUAL', 'ORGANIZATION', 'UNKNOWN'] as const;

export type PartyRole = (typeof PARTY_ROLES)[number];

/**
 * One party of an operation, in AMLYZE's words. The card fields belong to the party that holds the card; AMLYZE's page of
 * card payments shows them behind the list only because its folded-out part is cut off there.
 */
export interface OperationParty {
  partyRole: PartyRole;
  entityType: (typeof ENTITY_TYPES)[number];
  /** Always there for DEBTOR and CREDITOR. */
  accountNumber?: string;
  accountExtId?: string;
  /** Says that the account is kept by the institution itself. */
  bic?: string;
  currency?: string;
  bankTitle?: string;
  address?: string;
  country?: string;
  /** Only together with lastName. */
  firstName?: string;
  lastName?: string;
  /** Always there unless an INDIVIDUAL has both names. */
  title?: string;
  identifier?: string;
  cardNumber?: Pan;
  /** Calendar date, `2025-06-07`. */
  cardValidTill?: string;
  cardHolderName?: string;
}

/**
 * The validated content of one card payment, every field under AMLYZE's name; an absent field is an absent key. Decimals
 * are canonical texts. `sourceOfRiskLevel` is always IMPORT and not kept.
 */
export interface Operation {
  /** Only where callers may bring their own numbers. */
  communicationNumber?: string;
  /** The system that the operation comes from; the configured one where absent. */
  requester?: string;
  /** The caller's, or the configured one. */
  businessUnit?: string;
  operationExtId: string;
  operationType: string;
  cardOperationSubType: string;
  riskManagementCategory: string;
  operationStatus: (typeof OPERATION_STATUSES)[number];
  riskLevel?: (typeof RISK_LEVELS)[number];
  /** RFC 3339 with offset, as it was given. */
  operationDateTime: string;
  sourceCountry?: string;
  destinationCountry?: string;
  currency: string;
  amount: Decimal;
  /** EUR for one unit of `currency`. Both or none, and none for EUR. */
  euroExchangeRate?: Decimal;
  amountInEuro?: Decimal;
  amountInEquivalent?: Decimal;
  exchangeRate?: Decimal;
  financialFlowDirection: (typeof FLOW_DIRECTIONS)[number];
  initializeScreeningProcesses?: (typeof SCREENING_PROCESSES)[number][];
  description: string;
  ipAddress?: string;
  ipAddressCountry?: string;
  terminalExtId?: string;
  terminalCode?: string;
  merchantExtId?: string;
  merchantCode?: string;
  merchantDescription?: string;
  merchantName?: string;
  merchantCountryCode?: string;
  salesPointExtId?: string;
  salesPointCode?: string;
  dateAuthorized?: string;
  dateSettled?: string;
  fastPayment?: boolean;
  listOperationParty: OperationParty[];
}

/** What is wrong with one field. */
export interface Finding {
  /** Path such as `listOperationParty[1].country`; empty for the operation as a whole. */
  field: string;
  /** Names the field, what kind of value it holds and the rule. Never holds a value that could be a card number. */
  message: string;
}

export type ClassifierName =
  'cardOperationSubType' | 'riskManagementCategory' | 'country' | 'currency' | 'businessUnit' | 'operationType';

export interface OperationRules {
  /** Known codes; undefined: AMLYZE alone knows them. */
  classifiers: Readonly<Record<ClassifierName, readonly string[] | undefined>>;
  unknownCodes: 'refuse' | 'pass';
  countriesRequired: boolean;
  callerNumbers: boolean;
  cardData: 'refuse' | 'encrypt';
  /** Takes the place of an absent businessUnit. */
  defaultBusinessUnit?: string | undefined;
  now: Date;
}

export type OperationCheck =
  | {
      ok: true;
      operation: Operation;
      /** The operation is sent although this looks odd. */
      warnings: Finding[];
      /** Was given and is not sent. */
      dropped: Finding[];
      /** Younger than 24 hours: an import without monitoring is meant for the past. */
      young: boolean;
    }
  | { ok: false; errors: Finding[] };

/** Whether the operation holds card data, so that its frozen request must be sealed. */
export function hasCardData(operation: Operation): boolean {
  return operation.listOperationParty.some(
    ({ cardNumber, cardValidTill, cardHolderName }) =>
      cardNumber !== undefined || cardValidTill !== undefined || cardHolderName !== undefined,
  );
}

/** Whether it must go through the single endpoint, since the batch has no field for the screening it asks for. */
export function asksForScreening(operation: Operation): boolean {
  return operation.initializeScreeningProcesses !== undefined;
}

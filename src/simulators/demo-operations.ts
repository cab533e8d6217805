import { iban } from './demo/iban';

/** What must become of an operation of the demonstration. */
export interface ForeseenOperation {
  /** the state in which its record must end; undefined: the gateway refuses it, and there is no record */
  recordState: 'accepted' | 'rejected' | undefined;
  /** the field that the gateway must name, where it refuses the operation or leaves something out of it */
  field?: string;
  /** what AMLYZE must answer, where it refuses */
  words?: string;
  /** one sentence for the table that a person reads */
  why: string;
}

export interface DemoOperation {
  /** the name of the case, e.g. `plain`, `rate-upside-down` */
  kind: string;
  operationExtId: string;
  /** the operation as the institution's card system would hand it over; decimals are texts and keep their digits */
  body: Readonly<Record<string, unknown>>;
  foreseen: ForeseenOperation;
}

/** The BIC of the demonstration's institution, for AMLYZE's setting institutionBic. */
export const DEMO_BIC = 'DEMOLT2X';

const CUSTOMERS = [
  { firstName: 'Ona', lastName: 'Pavyzdienė' },
  { firstName: 'Jonas', lastName: 'Bandomasis' },
  // AMLYZE knows this one as a company.
  { firstName: 'Rūta', lastName: 'Verslininkė' },
] as const;
const COMPANY = 2;

const customerAccount = (customer: number): string => iban('LT', `3990000000${String(customer).padStart(6, '0')}`);
const shopAccount = iban('ES', '91000000000000000002');

/** What AMLYZE must know before the operations come: bodies for `POST /_sim/accounts`. */
export function demoCustomers(): object[] {
  return CUSTOMERS.map((_, customer) => ({
    accountExtId: `CP-${String(customer).padStart(7, '0')}`,
    currency: 'EUR',
    accountNumber: customerAccount(customer),
    entityType: customer === COMPANY ? 'ORGANIZATION' : 'INDIVIDUAL',
  }));
}

interface Case {
  kind: string;
  customer?: number;
  /** a payment to the shop unless it is money back */
  refund?: boolean;
  changes: Record<string, unknown>;
  foreseen: ForeseenOperation;
}

const accepted = (why: string): ForeseenOperation => ({ recordState: 'accepted', why });

const CASES: readonly Case[] = [
  { kind: 'plain', changes: { amount: '1499.00' }, foreseen: accepted('a card purchase, digit for digit') },
  {
    kind: 'plain',
    customer: 1,
    changes: { amount: '12.5' },
    foreseen: accepted('one digit after the point stays one'),
  },
  {
    kind: 'other-currency',
    changes: { currency: 'GBP', amount: '1000.00', euroExchangeRate: '1.1600', amountInEuro: '1160.00' },
    foreseen: accepted('pounds with rate and amount in euro'),
  },
  {
    kind: 'refund',
    customer: 1,
    refund: true,
    changes: { cardOperationSubType: 'CARD_REFUND', amount: '59.90', description: 'Order 1044 returned' },
    foreseen: accepted('money back: incoming, so that the customer is the creditor'),
  },
  {
    kind: 'declined',
    customer: 1,
    changes: { operationStatus: 'REJECTED', amount: '5000', riskLevel: 'HIGH' },
    foreseen: accepted('a payment that the card system declined is a fact that AMLYZE takes'),
  },
  {
    kind: 'screened',
    changes: { amount: '250.00', initializeScreeningProcesses: ['PEP', 'SANCTIONS'] },
    foreseen: accepted('asks for screening, so it always goes alone'),
  },
  {
    kind: 'needless-rate',
    changes: { amount: '33.10', euroExchangeRate: '1', amountInEuro: '33.10' },
    foreseen: {
      recordState: 'accepted',
      field: 'euroExchangeRate',
      why: 'euro needs no rate: left out of the record, and reported',
    },
  },
  {
    kind: 'rate-upside-down',
    changes: { currency: 'GBP', amount: '1000.00', euroExchangeRate: '0.8620', amountInEuro: '1160.09' },
    foreseen: {
      recordState: undefined,
      field: 'amountInEuro',
      why: 'the rate is pounds per euro: the gateway refuses it before it is sent',
    },
  },
  {
    kind: 'other-entity-type',
    customer: COMPANY,
    changes: { amount: '780.00' },
    foreseen: {
      recordState: 'rejected',
      words: 'entityType mismatch in operationParty[0]: Amlyze customer has different entity type to operation one.',
      why: 'only AMLYZE knows that this customer is a company',
    },
  },
  { kind: 'plain', changes: { amount: '0.01' }, foreseen: accepted('the smallest amount there is') },
];

/** Long past, as an import without monitoring is meant for; the same every time, so that a second import is no news. */
const FIRST_AT = Date.parse('2024-08-16T13:00:00.000Z');
const HOUR_MS = 3_600_000;

function bodyOf({ customer = 0, refund = false, changes }: Case, index: number): Record<string, unknown> {
  const person = {
    entityType: 'INDIVIDUAL',
    accountNumber: customerAccount(customer),
    bic: DEMO_BIC,
    ...CUSTOMERS[customer],
  };
  const shop = { entityType: 'ORGANIZATION', accountNumber: shopAccount, title: 'Costa Example' };
  return {
    operationExtId: operationExtId(index),
    operationType: 'CARD_PAYMENT',
    cardOperationSubType: 'CARD_PURCHASE',
    riskManagementCategory: 'OP_TRANSFER',
    sourceOfRiskLevel: 'IMPORT',
    operationStatus: 'EXECUTED',
    operationDateTime: new Date(FIRST_AT + index * HOUR_MS).toISOString(),
    sourceCountry: refund ? 'ES' : 'LT',
    destinationCountry: refund ? 'LT' : 'ES',
    currency: 'EUR',
    financialFlowDirection: refund ? 'INCOMING' : 'OUTGOING',
    description: `Order ${String(1_000 + index)}`,
    merchantName: 'Costa Example',
    merchantCode: '5541',
    merchantCountryCode: 'ES',
    listOperationParty: [
      { partyRole: refund ? 'CREDITOR' : 'DEBTOR', ...person },
      { partyRole: refund ? 'DEBTOR' : 'CREDITOR', ...shop },
    ],
    ...changes,
  };
}

const operationExtId = (index: number): string => `CARD-${String(index + 1).padStart(6, '0')}`;

/**
 * A small import with what must become of each operation: the same every time. One is refused by the gateway's own rules and
 * one by AMLYZE, which has to know `demoCustomers()` and, as institutionBic, `DEMO_BIC`.
 */
export function demoOperations(): DemoOperation[] {
  return CASES.map((each, index) => ({
    kind: each.kind,
    operationExtId: operationExtId(index),
    body: bodyOf(each, index),
    foreseen: each.foreseen,
  }));
}

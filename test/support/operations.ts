import { randomBytes } from 'node:crypto';
import type { TestGateway } from './gateway';
import { ADMIN_KEY } from './admin-app';
import type { Json } from './gateway';

/** Numbers that card schemes publish for tests; no card has them. */
export const TEST_CARD_NUMBERS = [
  '4111111111111111',
  '5555555555554444',
  '378282246310005',
  '6011111111111117',
] as const;

export const CARD_DATA_KEYS = `card-1:${randomBytes(32).toString('base64')}`;

/** Turns operations on, and takes card data. */
export const WITH_CARDS = {
  OPERATIONS_IMPORT: 'without-monitoring',
  CARD_DATA: 'encrypt',
  CARD_DATA_KEYS,
} as const;

/** A valid card payment long past; `changes` replace fields, undefined takes one away. */
export function operation(operationExtId: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  const whole: Record<string, unknown> = {
    operationExtId,
    operationType: 'CARD_PAYMENT',
    cardOperationSubType: 'CARD_PURCHASE',
    riskManagementCategory: 'OP_TRANSFER',
    sourceOfRiskLevel: 'IMPORT',
    operationStatus: 'EXECUTED',
    operationDateTime: '2024-08-16T13:00:00Z',
    sourceCountry: 'LT',
    destinationCountry: 'ES',
    currency: 'EUR',
    amount: 1499,
    financialFlowDirection: 'OUTGOING',
    description: "Invoice '02'",
    listOperationParty: [debtor(), creditor()],
    ...changes,
  };
  return Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined));
}

export function debtor(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    partyRole: 'DEBTOR',
    entityType: 'INDIVIDUAL',
    accountNumber: 'LT121000011101001000',
    bic: 'TESTLT21',
    firstName: 'Eduardo',
    lastName: 'Rodrigues',
    ...changes,
  };
}

export function creditor(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    partyRole: 'CREDITOR',
    entityType: 'ORGANIZATION',
    accountNumber: 'ES9121000418450200051332',
    title: 'Costco',
    ...changes,
  };
}

/** The same with a card in the debtor's hand. */
export function cardOperation(
  operationExtId: string,
  cardNumber: string,
  changes: Record<string, unknown> = {},
): Record<string, unknown> {
  const card = { cardNumber, cardValidTill: '2027-06-30', cardHolderName: 'EDUARDO TESTHOLDER' };
  return operation(operationExtId, { listOperationParty: [debtor(card), creditor()], ...changes });
}

/** One import of lines; the answer's status and body. */
export async function importOperations(
  gateway: TestGateway,
  lines: readonly string[],
  options: { type?: string; key?: string } = {},
): Promise<{ status: number; body: Json }> {
  const response = await fetch(`${gateway.url}/admin/operations/import`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${ADMIN_KEY}`,
      'Content-Type': options.type ?? 'application/x-ndjson',
      ...(options.key === undefined ? {} : { 'Idempotency-Key': options.key }),
    },
    body: lines.join('\n'),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

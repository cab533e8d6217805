import { randomBytes } from 'node:crypto';
import { DeliveryWorker } from '../../src/delivery/delivery.worker';
import { HealthModule } from '../../src/health/health.module';
import { EXAMPLE } from '../../src/operations/example';
import { OperationsModule } from '../../src/operations/operations.module';
import { RecordsModule } from '../../src/records/records.module';
import { KernelModule } from '../../src/shared/kernel.module';
import { ADMIN_KEY, type AdminApp, startAdminApp } from './admin-app';
import type { Json } from './gateway';
import type { TestDatabase } from './postgres';

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
    ...EXAMPLE,
    operationExtId,
    sourceOfRiskLevel: 'IMPORT',
    listOperationParty: [debtor(), creditor()],
    ...changes,
  };
  return Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined));
}

const [DEBTOR, CREDITOR] = EXAMPLE.listOperationParty;

export function debtor(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { ...DEBTOR, bic: 'TESTLT21', ...changes };
}

export function creditor(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { ...CREDITOR, ...changes };
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

/** The admin API of operations and records. Nothing is delivered: what becomes of a record is up to the test. */
export async function startOperationsApp(variables: NodeJS.ProcessEnv = {}, shared?: TestDatabase): Promise<AdminApp> {
  const admin = await startAdminApp(
    [KernelModule, OperationsModule, RecordsModule, HealthModule],
    { OPERATIONS_IMPORT: 'without-monitoring', ...variables },
    shared,
  );
  await admin.app.get(DeliveryWorker).stop(1_000);
  return admin;
}

export interface Answer {
  status: number;
  body: Json;
}

/** One admin call with a JSON body, or with a text of another type. */
export async function call(
  admin: { url: string },
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${admin.url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${ADMIN_KEY}`, 'Content-Type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

export const post = (admin: { url: string }, body: unknown): Promise<Answer> =>
  call(admin, 'POST', '/admin/operations', body);

/** One import of lines. */
export async function importLines(
  admin: { url: string },
  lines: readonly string[],
  options: { type?: string; key?: string } = {},
): Promise<Answer> {
  return call(admin, 'POST', '/admin/operations/import', lines.join('\n'), {
    'Content-Type': options.type ?? 'application/x-ndjson',
    ...(options.key === undefined ? {} : { 'Idempotency-Key': options.key }),
  });
}

/** Settles a record as AMLYZE's verdict would. */
export async function settleAs(
  admin: AdminApp,
  communicationNumber: string,
  state: 'accepted' | 'rejected' | 'held' | 'exhausted',
  inDoubt = false,
): Promise<void> {
  await admin.testDatabase.database.query(
    `update record_state set state = $2, reason = case when $2 = 'accepted' then null else 'TEST' end, in_doubt = $3,
  settled_at = now(), next_attempt_at = null where record_id = (select id from amlyze_record where communication_number = $1)`,
    [communicationNumber, state, inDoubt],
  );
}

import { createHash, randomUUID } from 'node:crypto';
import {
  type RunningSimulator,
  SANDBOX_AMLYZE,
  SANDBOX_MYPOS,
  SANDBOX_ONESINGLEVIEW,
  SimulatorControl,
} from '../../../src/simulators';

export interface Running {
  simulator: RunningSimulator;
  control: SimulatorControl;
}

export async function running(start: Promise<RunningSimulator>): Promise<Running> {
  const simulator = await start;
  return { simulator, control: new SimulatorControl(simulator.url) };
}

export interface Answered {
  status: number;
  headers: Headers;
  text: string;
  // The tests look into answers whose form they assert.
  json: Record<string, unknown>;
}

export async function ask(url: string, init: RequestInit = {}): Promise<Answered> {
  const response = await fetch(url, init);
  const text = await response.text();
  let json: Record<string, unknown> = {};
  try {
    json = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // not every answer is JSON, which is for the test to say
  }
  return { status: response.status, headers: response.headers, text, json };
}

/** A complete myPOS request, with headers changed or (null) left out. */
export function readMypos(url: string, accountNumber: string, headers: Record<string, string | null> = {}) {
  const all: Record<string, string | null> = {
    'X-Request-ID': randomUUID(),
    'Consent-ID': SANDBOX_MYPOS.consentId,
    Authorization: `Bearer ${SANDBOX_MYPOS.accessToken}`,
    'API-Key': SANDBOX_MYPOS.apiKey,
    ...headers,
  };
  return ask(`${url}/v1/accounts/${accountNumber}/balances`, { headers: present(all) });
}

function present(headers: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
}

const { clientId, clientCode, signatureKey, merchantId, bankCode, consentId } = SANDBOX_ONESINGLEVIEW;

export function sign(body: string, key: string = signatureKey): string {
  return createHash('sha256')
    .update(Buffer.from(body, 'utf8').toString('base64') + key)
    .digest('hex');
}

/** A signed POST, with headers changed or (null) left out. */
export function postSigned(url: string, body: string, headers: Record<string, string | null> = {}) {
  const all = { clientId, clientCode, signature: sign(body), 'Content-Type': 'application/json', ...headers };
  return ask(url, { method: 'POST', headers: present(all), body });
}

export const TOKEN_REQUEST = { clientId, clientCode, merchantId, grantType: 'client_credentials' };

export async function oneSingleViewToken(url: string): Promise<string> {
  const answer = await postSigned(`${url}/v1/api/observice/token`, JSON.stringify(TOKEN_REQUEST));
  return String((answer.json['payload'] as Record<string, unknown>)['access_token']);
}

export function balanceQuestion(accountId: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    dateTimeStamp: new Date().toISOString(),
    requestID: randomUUID(),
    merchantId,
    banks: [{ code: bankCode, consentId, accountId }],
    ...changes,
  };
}

export function readOneSingleView(
  url: string,
  token: string,
  question: Record<string, unknown>,
  headers: Record<string, string | null> = {},
) {
  return postSigned(`${url}/v1/api/observice/balanceById`, JSON.stringify(question), {
    Authorization: `Bearer ${token}`,
    ...headers,
  });
}

export const BATCH = '/amlyze-ws-rest/batch-account-balances';
export const SINGLE = '/amlyze-ws-rest/account-balance';

/** A complete record; `value` is written as it stands, so that its digits are the test's. */
export function record(communicationNumber: string, changes: Record<string, unknown> = {}, value = '12.50'): string {
  const fields = {
    communicationNumber,
    requester: 'a-test',
    balanceType: 'STATEMENT_BALANCE',
    accountExtId: 'A-1',
    balanceAt: '2025-06-30T20:59:59.000Z',
    ...changes,
  };
  const text = JSON.stringify(fields);
  return 'value' in changes ? text : `${text.slice(0, -1)},"value":${value}}`;
}

const AMLYZE_HEADERS = { Authorization: `Bearer ${SANDBOX_AMLYZE.token}`, 'Content-Type': 'application/json' };

export function sendBatch(url: string, records: readonly string[], headers: Record<string, string> = {}) {
  const body = `{"accountBalances":[${records.join(',')}]}`;
  return ask(url + BATCH, { method: 'POST', headers: { ...AMLYZE_HEADERS, ...headers }, body });
}

export function sendSingle(url: string, body: string, headers: Record<string, string> = {}) {
  return ask(url + SINGLE, { method: 'PUT', headers: { ...AMLYZE_HEADERS, ...headers }, body });
}

export const OPERATION = '/amlyze-ws-rest/operation';
export const OPERATIONS = '/amlyze-ws-rest/batch-operations';
export const VALIDATION = '/amlyze-ws-rest/validate-batch-operations';

const PARTIES = [
  { partyRole: 'CREDITOR', entityType: 'ORGANIZATION', accountNumber: 'C-1', bic: 'EXAMLT2X', title: 'Shop' },
  { partyRole: 'DEBTOR', entityType: 'INDIVIDUAL', accountNumber: 'D-1', firstName: 'Ona', lastName: 'Example' },
];

/** The parties of a complete operation, the institution's customer first, with fields changed or (undefined) left out. */
export function parties(creditor: object | null = {}, debtor: object | null = {}, ...more: object[]): object[] {
  const [first, second] = PARTIES;
  return [...(creditor ? [{ ...first, ...creditor }] : []), ...(debtor ? [{ ...second, ...debtor }] : []), ...more];
}

/** A complete operation; `amount` is written as it stands. */
export function operation(operationExtId: string, changes: Record<string, unknown> = {}, amount = '1499.10'): string {
  const fields = {
    communicationNumber: `number-${operationExtId}`,
    requester: 'a-test',
    operationExtId,
    operationType: 'CARD_PAYMENT',
    cardOperationSubType: 'CARD_PURCHASE',
    riskManagementCategory: 'OP_TRANSFER',
    sourceOfRiskLevel: 'IMPORT',
    operationStatus: 'EXECUTED',
    operationDateTime: '2024-08-16T13:00:00Z',
    sourceCountry: 'LT',
    destinationCountry: 'LT',
    currency: 'EUR',
    financialFlowDirection: 'INCOMING',
    description: 'Invoice 02',
    listOperationParty: parties(),
    ...changes,
  };
  const text = JSON.stringify(fields);
  return 'amount' in changes ? text : `${text.slice(0, -1)},"amount":${amount}}`;
}

export function sendOperation(url: string, body: string) {
  return ask(url + OPERATION, { method: 'POST', headers: AMLYZE_HEADERS, body });
}

export function sendOperations(url: string, operations: readonly string[], path = OPERATIONS) {
  return ask(url + path, { method: 'POST', headers: AMLYZE_HEADERS, body: `{"operations":[${operations.join(',')}]}` });
}

export function resultsOf(answer: Answered): (Record<string, unknown> | null)[] {
  const { results } = answer.json;
  if (!Array.isArray(results)) throw new Error(`no results in ${answer.text.slice(0, 200)}`);
  return results as (Record<string, unknown> | null)[];
}

export function tppCode(answer: Answered): unknown {
  const messages = answer.json['tppMessages'];
  return Array.isArray(messages) ? (messages[0] as Record<string, unknown>)['code'] : undefined;
}

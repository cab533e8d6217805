import { SANDBOX_MYPOS } from '../../src/simulators/defaults';
import type { Peers } from '../../test/faults/rig/simulators';
import type { BenchGateway } from './gateway';

/** Lines in one request: a file of a million would be sent in parts too. */
const CHUNK = 5_000;

/** Account number at the bank, from 1 on. */
export function accountNumber(index: number): string {
  return `5004${String(index).padStart(7, '0')}`;
}

/** What AMLYZE calls the account. */
export function accountName(index: number): string {
  return `MP-${String(index).padStart(7, '0')}`;
}

/** Every account has another balance, with two decimals. */
function amount(index: number): string {
  return `${(index * 7919) % 1_000_000}.${String(index % 100).padStart(2, '0')}`;
}

export interface Registered {
  connectionId: string;
  consentId: string;
}

/** Makes a connection with a consent that never runs out of reads. */
export async function connectBank(
  gateway: BenchGateway,
  { name, baseUrl }: { name: string; baseUrl: string },
): Promise<Registered> {
  const connection = await gateway.ok('POST', '/admin/connections', {
    name,
    provider: 'mypos',
    baseUrl,
    secrets: { apiKey: SANDBOX_MYPOS.apiKey },
  });
  const { consentId, accessToken } = SANDBOX_MYPOS;
  const consent = await gateway.ok('POST', '/admin/consents', {
    connectionId: connection.id,
    consentId,
    accessToken,
    frequencyPerDay: 1_000,
    agreementReference: 'bench',
  });
  return { connectionId: connection.id, consentId: consent.id };
}

/** Tells the bank's and AMLYZE's simulators of accounts 1 to `count`. */
export async function tellPeers(peers: Peers, count: number): Promise<void> {
  for (const chunk of chunks(count)) {
    await peers.mypos.control.putAccounts(
      chunk.map((index) => ({
        accountNumber: accountNumber(index),
        balances: [{ amount: amount(index), currency: 'EUR', balanceType: 'available' }],
      })),
    );
    await peers.amlyze.control.putAccounts(
      chunk.map((index) => ({ accountExtId: accountName(index), currency: 'EUR' })),
    );
  }
}

/** Imports accounts 1 to `count` into the gateway. */
export async function importAccounts(gateway: BenchGateway, consentId: string, count: number): Promise<void> {
  for (const chunk of chunks(count)) await importInOne(gateway, consentId, chunk);
}

/** Imports these accounts with one request. */
export async function importInOne(gateway: BenchGateway, consentId: string, indexes: readonly number[]): Promise<void> {
  const lines = indexes.map((index) =>
    JSON.stringify({
      consentId,
      providerAccountId: accountNumber(index),
      currency: 'EUR',
      accountExtId: accountName(index),
    }),
  );
  const answer = await gateway.ok('POST', '/admin/accounts/import', `${lines.join('\n')}\n`);
  if (answer.created !== indexes.length) throw new Error(`import: ${JSON.stringify(answer)}`);
}

function* chunks(count: number): Generator<number[]> {
  for (let first = 1; first <= count; first += CHUNK) {
    yield Array.from({ length: Math.min(CHUNK, count - first + 1) }, (_, n) => first + n);
  }
}

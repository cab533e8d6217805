import { SANDBOX_MYPOS, SANDBOX_ONESINGLEVIEW } from '../../../src/simulators/defaults';
import type { GatewayReplica } from './replica';
import type { Bank } from './workload';
import type { Registered, World } from './world';

export interface ConnectionWish {
  name: string;
  /** Instead of the wire to the bank's simulator. */
  baseUrl?: string;
  settings?: object;
  consent?: object;
}

/** One more connection to a bank, and a consent on it. `world.registered[bank] = …` makes accounts belong to it. */
export async function connect(
  world: World,
  gateway: GatewayReplica,
  bank: Bank,
  wish: ConnectionWish,
): Promise<Registered> {
  const { clientId, clientCode, signatureKey, merchantId } = SANDBOX_ONESINGLEVIEW;
  const { name, baseUrl = world.wire[bank].url, settings = {}, consent = {} } = wish;
  const connection = await gateway.ok('POST', '/admin/connections', {
    name,
    provider: bank,
    baseUrl,
    settings: bank === 'mypos' ? settings : { merchantId, creditLine: 'own-funds', ...settings },
    secrets: bank === 'mypos' ? { apiKey: SANDBOX_MYPOS.apiKey } : { clientId, clientCode, signatureKey },
  });
  return { connectionId: connection.id, consentId: await addConsent(gateway, bank, connection.id, consent) };
}

/** One more consent on a connection; its id at the gateway. */
export async function addConsent(
  gateway: GatewayReplica,
  bank: Bank,
  connectionId: string,
  consent: object = {},
): Promise<string> {
  const { consentId, accessToken } = SANDBOX_MYPOS;
  const osv = SANDBOX_ONESINGLEVIEW;
  const row = await gateway.ok('POST', '/admin/consents', {
    connectionId,
    ...(bank === 'mypos' ? { consentId, accessToken } : { consentId: osv.consentId, bankCode: osv.bankCode }),
    ...consent,
  });
  return row.id;
}

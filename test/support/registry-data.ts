import type { AdminApp } from './admin-app';

let counter = 0;

/** A number that no other name in this process has. */
export function unique(): number {
  counter += 1;
  return counter;
}

export interface Registered {
  connectionId: string;
  consentId: string;
}

/** A myPOS connection with one consent, through the API. */
export async function registerConsent(admin: AdminApp, settings: object = {}): Promise<Registered> {
  const connection = await admin.api.post('/admin/connections').send({
    name: `connection ${unique()}`,
    provider: 'mypos',
    baseUrl: 'https://bank.example',
    settings,
    secrets: { apiKey: 'test-api-key' },
  });
  const { id: connectionId } = connection.body as { id: string };
  return { connectionId, consentId: await addConsent(admin, connectionId) };
}

/** The id of a OneSingleView connection, whose consents name a bank each. */
export async function addOneSingleView(admin: AdminApp): Promise<string> {
  const connection = await admin.api.post('/admin/connections').send({
    name: `osv ${unique()}`,
    provider: 'onesingleview',
    baseUrl: 'https://bank.example',
    settings: { merchantId: 'm', creditLine: 'as-reported' },
    secrets: { clientId: 'i', clientCode: 'c', signatureKey: 'k' },
  });
  return (connection.body as { id: string }).id;
}

export async function addConsent(admin: AdminApp, connectionId: string, more: object = {}): Promise<string> {
  const consent = await admin.api
    .post('/admin/consents')
    .send({ connectionId, consentId: `consent-${unique()}`, accessToken: 'test-access-token', ...more });
  return (consent.body as { id: string }).id;
}

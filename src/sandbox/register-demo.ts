import {
  demoAccounts,
  demoRegistrations,
  SANDBOX_MYPOS,
  SANDBOX_ONESINGLEVIEW,
  type DemoAccount,
  type DemoBank,
} from '../simulators';
import type { AdminApi } from './admin-api';
import type { Simulators } from './processes';

export const BANKS: readonly { bank: DemoBank; title: string }[] = [
  { bank: 'mypos', title: 'myPOS' },
  { bank: 'onesingleview', title: 'OneSingleView' },
];

interface ConnectionItem {
  id: string;
  name: string;
}

interface ConsentItem {
  id: string;
  connectionId: string;
}

/** What an operator enters for a real bank, with what the simulators accept. */
const REGISTRATIONS: Readonly<Record<DemoBank, { connection: object; consent: object }>> = {
  mypos: {
    connection: { provider: 'mypos', settings: {}, secrets: { apiKey: SANDBOX_MYPOS.apiKey } },
    consent: { consentId: SANDBOX_MYPOS.consentId, accessToken: SANDBOX_MYPOS.accessToken },
  },
  onesingleview: {
    connection: {
      provider: 'onesingleview',
      settings: { merchantId: SANDBOX_ONESINGLEVIEW.merchantId, creditLine: 'own-funds' },
      secrets: {
        clientId: SANDBOX_ONESINGLEVIEW.clientId,
        clientCode: SANDBOX_ONESINGLEVIEW.clientCode,
        signatureKey: SANDBOX_ONESINGLEVIEW.signatureKey,
      },
    },
    consent: { consentId: SANDBOX_ONESINGLEVIEW.consentId, bankCode: SANDBOX_ONESINGLEVIEW.bankCode },
  },
};

/** The demo's accounts of both banks; a kept database may have more of them than are asked for. */
export async function planAccounts(api: AdminApi, perBank: number): Promise<DemoAccount[]> {
  const { connections } = await api.call<{ connections: { accounts: number }[] }>('GET', '/admin/status');
  const count = Math.max(perBank, ...connections.map(({ accounts }) => accounts));
  // This second: a kept database has had older ones, so that the balances of a new start are news to it.
  const asOf = new Date(Math.floor(Date.now() / 1_000) * 1_000);
  return BANKS.flatMap(({ bank }) => demoAccounts(bank, count, asOf));
}

/** The outer world's part: balances at the banks, accounts at AMLYZE, and numbers that somebody else has used there. */
export async function tellSimulators(simulators: Simulators, accounts: readonly DemoAccount[]): Promise<void> {
  for (const { bank } of BANKS) {
    const registrations = demoRegistrations(accounts.filter((account) => account.bank === bank));
    await simulators[bank].putAccounts(registrations.bankAccounts);
    await simulators.amlyze.putAccounts(registrations.amlyzeAccounts);
    await simulators.amlyze.addFault(...registrations.amlyzeFaults);
  }
}

/** The operator's part: connection, consent and accounts, by the admin API alone. */
export async function registerDemo(
  api: AdminApi,
  simulators: Simulators,
  accounts: readonly DemoAccount[],
): Promise<void> {
  for (const { bank, title } of BANKS) {
    const connectionId = await registerConnection(api, bank, `Demo ${title}`, simulators[bank].url);
    const consentId = await registerConsent(api, bank, connectionId);
    await importAccounts(
      api,
      consentId,
      accounts.filter((account) => account.bank === bank),
    );
  }
}

async function registerConnection(api: AdminApi, bank: DemoBank, name: string, baseUrl: string): Promise<string> {
  const known = (await api.list<ConnectionItem>('/admin/connections')).find((item) => item.name === name);
  if (known) {
    await api.call('PATCH', `/admin/connections/${known.id}`, { baseUrl });
    return known.id;
  }
  const body = { name, baseUrl, ...REGISTRATIONS[bank].connection };
  return (await api.call<ConnectionItem>('POST', '/admin/connections', body)).id;
}

async function registerConsent(api: AdminApi, bank: DemoBank, connectionId: string): Promise<string> {
  const known = (await api.list<ConsentItem>('/admin/consents')).find((item) => item.connectionId === connectionId);
  if (known) return known.id;
  return (await api.call<ConsentItem>('POST', '/admin/consents', { connectionId, ...REGISTRATIONS[bank].consent })).id;
}

async function importAccounts(api: AdminApi, consentId: string, accounts: readonly DemoAccount[]): Promise<void> {
  const lines = accounts.map(({ providerAccountId, currency, accountExtId }) =>
    JSON.stringify({ consentId, providerAccountId, currency, accountExtId }),
  );
  const result = await api.call<{ created: number; updated: number; rejected: object[] }>(
    'POST',
    '/admin/accounts/import',
    `${lines.join('\n')}\n`,
  );
  if (result.created + result.updated !== accounts.length) {
    throw new Error(`the import refused accounts: ${JSON.stringify(result.rejected.slice(0, 3))}`);
  }
}

import { randomUUID } from 'node:crypto';
import { mapBalances } from '../../../src/balances/map-balances';
import { MyposClient } from '../../../src/providers/mypos/mypos.client';
import { toMyposBalances } from '../../../src/providers/mypos/mypos.mapper';
import { MyposSettings } from '../../../src/providers/mypos/mypos.settings';
import { OneSingleViewClient } from '../../../src/providers/onesingleview/onesingleview.client';
import { toOneSingleViewBalances } from '../../../src/providers/onesingleview/onesingleview.mapper';
import { OneSingleViewSettings } from '../../../src/providers/onesingleview/onesingleview.settings';
import type { BalanceQuestion, ParsedAnswer } from '../../../src/providers/provider';
import { type Answer, type CallFailure, HttpClient } from '../../../src/shared/http-client';
import type { MappingSettings } from '../../../src/balances/balance';
import {
  type DemoAccount,
  demoAccounts,
  demoRegistrations,
  SANDBOX_MYPOS,
  SANDBOX_ONESINGLEVIEW,
  startMyposSimulator,
  startOneSingleViewSimulator,
} from '../../../src/simulators';
import { oneSingleViewToken, running } from './support';

interface Seen {
  kind: string;
  outcome: string;
  value: string | undefined;
}

/** What the gateway's own parsing and rules make of a simulator's answer. */
function judge(
  account: DemoAccount,
  answer: Answer | CallFailure | undefined,
  rules: { parse(body: string): ParsedAnswer; settings: MappingSettings },
): Seen {
  const { kind, currency } = account;
  if (answer?.kind !== 'answer') return { kind, outcome: 'no answer', value: undefined };
  if (answer.status === 404) return { kind, outcome: 'ACCOUNT_UNKNOWN', value: undefined };
  if (answer.status !== 200) return { kind, outcome: String(answer.status), value: undefined };
  const parsed = rules.parse(answer.body);
  if (parsed.kind === 'refused') return { kind, outcome: parsed.outcome, value: undefined };
  const { reported } = parsed;
  const { settings } = rules;
  const mapped = mapBalances({ reported, currency, pinnedTypes: {}, settings, fetchedAt: new Date() });
  return { kind, outcome: mapped.outcome, value: mapped.balances[0]?.value };
}

const foreseen = ({ kind, foreseen: { outcome, value } }: DemoAccount): Seen => ({ kind, outcome, value });

const question = (account: DemoAccount, consentId: string): BalanceQuestion => ({
  requestId: randomUUID(),
  bankCode: account.bankCode ?? '',
  providerAccountId: account.providerAccountId,
  consentId,
});

describe("the gateway's own client and rules", () => {
  const http = new HttpClient({ allowPrivateAddresses: true });
  afterAll(() => http.close());

  it('make of every demo account at myPOS what was foreseen', async () => {
    const { simulator, control } = await running(startMyposSimulator());
    const accounts = demoAccounts('mypos', 60);
    await control.putAccounts(demoRegistrations(accounts).bankAccounts);
    const { apiKey, accessToken, consentId } = SANDBOX_MYPOS;
    const settings = new MyposSettings();
    const connection = {
      id: '1',
      version: '1',
      name: 'm',
      baseUrl: simulator.url,
      settings,
      secrets: { apiKey },
      timeoutMs: 5000,
    };
    const client = new MyposClient(http);
    const seen: Seen[] = [];
    for (const account of accounts) {
      const asked = question(account, consentId);
      const answer = await client.fetchBalances(connection, { ...asked, accessToken });
      const { balanceTypes } = settings;
      seen.push(
        judge(account, answer, {
          parse: (body) => toMyposBalances(body, asked),
          settings: { balanceTypes, signing: 'signed-amount', balanceTime: 'fetch' },
        }),
      );
    }
    await simulator.close();
    expect(seen).toEqual(accounts.map(foreseen));
  });

  it('make of every demo account at OneSingleView what was foreseen', async () => {
    const { simulator, control } = await running(startOneSingleViewSimulator());
    const accounts = demoAccounts('onesingleview', 60);
    await control.putAccounts(demoRegistrations(accounts).bankAccounts);
    const token = await oneSingleViewToken(simulator.url);
    const { clientId, clientCode, signatureKey, merchantId, consentId } = SANDBOX_ONESINGLEVIEW;
    const settings = Object.assign(new OneSingleViewSettings(), { merchantId, creditLine: 'own-funds' });
    const { balanceTypes, typePrefix, creditLine, creditLineAmount } = settings;
    const secrets = { clientId, clientCode, signatureKey };
    const connection = { id: '1', version: '1', name: 'o', baseUrl: simulator.url, settings, secrets, timeoutMs: 5000 };
    const client = new OneSingleViewClient(http, () => new Date());
    const seen: Seen[] = [];
    for (const account of accounts) {
      const asked = question(account, consentId);
      const answer = await client.fetchBalances(connection, token, asked);
      seen.push(
        judge(account, answer, {
          parse: (body) => toOneSingleViewBalances(body, asked),
          settings: {
            balanceTypes,
            signing: 'indicator',
            balanceTime: 'bank',
            typePrefix,
            creditLine,
            creditLineAmount,
          },
        }),
      );
    }
    await simulator.close();
    expect(seen).toEqual(accounts.map(foreseen));
  });
});

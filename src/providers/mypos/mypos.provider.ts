import { Injectable } from '@nestjs/common';
import type { MappingSettings } from '../../balances/balance';
import { HttpClient, readJson } from '../../shared/http-client';
import type { Answer } from '../../shared/http-client';
import { isJsonObject } from '../../shared/json';
import type { JsonValue } from '../../shared/json';
import { answeredRead } from '../answered-read';
import { judgeRefusal } from '../bank-errors';
import { BANK_JSON } from '../bank-json';
import { readRefusal } from '../bank-refusal';
import { TLS_SECRETS } from '../client-tls';
import { failedCall, ownFailure, refusedRead, unreadableRead } from '../failed-read';
import type { FailureContext } from '../failed-read';
import type {
  BalanceProvider,
  BalanceQuestion,
  CheckResult,
  FetchResult,
  ParsedAnswer,
  ProviderConnection,
} from '../provider';
import { MyposClient } from './mypos.client';
import { MYPOS_ERRORS } from './mypos.errors';
import { toMyposBalances } from './mypos.mapper';
import { MyposSettings } from './mypos.settings';

/** myPOS PSD2: GET /v1/accounts/{accountNumber}/balances with the consent's own token. */
@Injectable()
export class MyposProvider implements BalanceProvider<MyposSettings> {
  readonly name = 'mypos';
  readonly settingsClass = MyposSettings;
  readonly secretNames = { required: ['apiKey'], optional: TLS_SECRETS, inHeaders: ['apiKey'] };
  readonly consentNeeds = { accessToken: true, bankCode: false };
  private readonly client: MyposClient;

  constructor(http: HttpClient) {
    this.client = new MyposClient(http);
  }

  mappingSettings(settings: MyposSettings): MappingSettings {
    return {
      balanceTypes: settings.balanceTypes,
      signing: 'signed-amount',
      // The vendor's element has no time at all.
      balanceTime: 'fetch',
      ...(settings.timeZone === undefined ? {} : { timeZone: settings.timeZone }),
    };
  }

  async fetchBalances(connection: ProviderConnection<MyposSettings>, question: BalanceQuestion): Promise<FetchResult> {
    const { accessToken } = question;
    if (!accessToken) return ownFailure('TOKEN_REJECTED', 'the consent has no access token');
    const result = await this.client.fetchBalances(connection, { ...question, accessToken });
    if (!result)
      return ownFailure(
        'GATEWAY_ERROR',
        'the account number cannot be part of a URL: close the account, register it anew',
      );
    const context = failureContext(connection, accessToken);
    if (result.kind === 'failure') return failedCall(result, context);
    if (result.status !== 200) return refusedRead(result, context);
    return readSuccess(result, context);
  }

  toBalances(body: string, question: BalanceQuestion, json?: JsonValue): ParsedAnswer {
    return toMyposBalances(body, question, json);
  }

  async check(connection: ProviderConnection<MyposSettings>): Promise<CheckResult> {
    const result = await this.client.probe(connection);
    const tried = 'asked for the status of a made-up consent';
    if (result.kind === 'failure') {
      const { reason } = failedCall(result, failureContext(connection, undefined));
      return { ok: false, latencyMs: result.latencyMs, detail: `${tried}; ${reason}` };
    }
    const problem = problemOfProbe(result);
    const seen = problem ?? 'the host answers and the TLS connection stands; tokens can only be judged by a read';
    return {
      ok: problem === undefined,
      latencyMs: result.latencyMs,
      detail: `${tried}, answered ${result.status}: ${seen}`,
    };
  }
}

/** A 200 that carries an error in place of balances is a refusal by another name. */
function readSuccess(answer: Answer, context: FailureContext): FetchResult {
  const json = readJson(answer, BANK_JSON);
  if (!json.ok) return unreadableRead(answer, json.problem, context);
  const hasBalances = isJsonObject(json.value) && Array.isArray(json.value.balances);
  if (!hasBalances && givesReason(answer)) return refusedRead(answer, context);
  return answeredRead(answer, json.value, context);
}

function givesReason({ status, body }: Answer): boolean {
  const { form, codes, text } = readRefusal(status, body);
  return form === 'json' && (codes.length > 0 || text !== '');
}

/** Any refusal of the made-up consent is fine, for it shows that the API is there. */
function problemOfProbe(answer: Answer): string | undefined {
  if (answer.status >= 500) return 'the service is not available';
  if (answer.status >= 300 && answer.status < 400) return 'a redirect; the base URL is probably wrong';
  const refusal = readRefusal(answer.status, answer.body);
  if (answer.status < 300 && refusal.form === 'html') return 'a web page; the base URL is probably wrong';
  if (answer.status >= 400 && judgeRefusal(refusal, MYPOS_ERRORS).then.outcome === 'CERTIFICATE_PROBLEM') {
    return 'the API key or the client certificate is refused';
  }
  return undefined;
}

function failureContext(
  connection: ProviderConnection<MyposSettings>,
  accessToken: string | undefined,
): FailureContext {
  return {
    table: MYPOS_ERRORS,
    what: 'myPOS',
    connection,
    secrets: [accessToken],
    // A consent's token comes from the customer's SCA; the gateway has no way to renew it.
    renewsToken: false,
    countsAsRead: true,
    keepsBody: true,
    now: new Date(),
  };
}

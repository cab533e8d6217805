import { Injectable, Optional } from '@nestjs/common';
import type { MappingSettings } from '../../balances/balance';
import { HttpClient, readJson } from '../../shared/http-client';
import type { Answer, CallFailure } from '../../shared/http-client';
import type { JsonValue } from '../../shared/json';
import { answeredRead } from '../answered-read';
import { BANK_JSON } from '../bank-json';
import { TLS_SECRETS } from '../client-tls';
import { failedCall, refusedRead, unreadableRead } from '../failed-read';
import type { FailureContext } from '../failed-read';
import { EndedBeforeCall } from '../provider';
import type { BalanceProvider, BalanceQuestion, CheckResult, FailedRead, FetchResult, ParsedAnswer } from '../provider';
import { ProviderTokens } from '../provider-tokens';
import type { GrantedToken, ObtainedToken } from '../provider-tokens';
import { OneSingleViewClient } from './onesingleview.client';
import type { OneSingleViewConnection } from './onesingleview.client';
import { ONESINGLEVIEW_ERRORS, ONESINGLEVIEW_TOKEN_ERRORS } from './onesingleview.errors';
import { toOneSingleViewBalances } from './onesingleview.mapper';
import { isSuccess, parseToken } from './onesingleview.payload';
import { OneSingleViewSettings } from './onesingleview.settings';
import { tokenLifetimeMs } from './token-lifetime';

/** OneSingleView Open Banking: POST balanceById, one bank and one account per call, with the connection's own token. */
@Injectable()
export class OneSingleViewProvider implements BalanceProvider<OneSingleViewSettings> {
  readonly name = 'onesingleview';
  readonly settingsClass = OneSingleViewSettings;
  readonly secretNames = {
    required: ['clientId', 'clientCode', 'signatureKey'],
    optional: TLS_SECRETS,
    // The signature key never leaves the gateway, so it may be any text.
    inHeaders: ['clientId', 'clientCode'],
  };
  readonly consentNeeds = { accessToken: false, bankCode: true };
  private readonly client: OneSingleViewClient;

  constructor(
    http: HttpClient,
    private readonly tokens: ProviderTokens,
    @Optional() private readonly now: () => Date = () => new Date(),
  ) {
    this.client = new OneSingleViewClient(http, now);
  }

  mappingSettings(settings: OneSingleViewSettings): MappingSettings {
    return {
      balanceTypes: settings.balanceTypes,
      signing: 'indicator',
      balanceTime: 'bank',
      typePrefix: settings.typePrefix,
      creditLine: settings.creditLine,
      creditLineAmount: settings.creditLineAmount,
      ...(settings.timeZone === undefined ? {} : { timeZone: settings.timeZone }),
    };
  }

  async fetchBalances(connection: OneSingleViewConnection, question: BalanceQuestion): Promise<FetchResult> {
    const token = await this.obtainToken(connection);
    if (token.kind === 'failed') return token;
    const { accessToken } = token;
    const result = await this.client.fetchBalances(connection, accessToken, question);
    const read = this.judge(result, this.balanceContext(connection, accessToken));
    // The next obtain, of whichever replica, asks for a new one; the caller decides whether to repeat.
    if (read.kind === 'failed' && read.retry === 'renew-token') await this.tokens.discard(connection, accessToken);
    return read;
  }

  toBalances(body: string, question: BalanceQuestion, json?: JsonValue): ParsedAnswer {
    return toOneSingleViewBalances(body, question, json);
  }

  /** Asks for a token and lets it go: it proves credentials, signature and TLS, and reads nothing. */
  async check(connection: OneSingleViewConnection): Promise<CheckResult> {
    const startedAt = performance.now();
    const token = await this.requestToken(connection);
    const latencyMs = Math.round(performance.now() - startedAt);
    const seen = token.kind === 'failed' ? token.reason : 'a token was granted (not kept)';
    return { ok: token.kind === 'granted', latencyMs, detail: `asked for an access token; ${seen}` };
  }

  private async obtainToken(connection: OneSingleViewConnection): Promise<ObtainedToken> {
    try {
      return await this.tokens.obtain(connection, () => this.requestToken(connection), connection.timeoutMs);
    } catch (error) {
      throw new EndedBeforeCall(error);
    }
  }

  private judge(result: Answer | CallFailure, context: FailureContext): FetchResult {
    if (result.kind === 'failure') return failedCall(result, context);
    if (result.status !== 200) return refusedRead(result, context);
    const json = readJson(result, BANK_JSON);
    if (!json.ok) return unreadableRead(result, json.problem, context);
    if (!isSuccess(json.value)) return refusedRead(result, context);
    return answeredRead(result, json.value, context);
  }

  private async requestToken(connection: OneSingleViewConnection): Promise<GrantedToken | FailedRead> {
    const result = await this.client.requestToken(connection);
    const read = this.judge(result, this.tokenContext(connection));
    if (read.kind === 'failed') return read;
    const token = parseToken(read.body);
    if (typeof token === 'string') {
      const { httpStatus, latencyMs } = read;
      return { ...NO_TOKEN, reason: `OneSingleView: ${token}`, httpStatus, latencyMs };
    }
    const expiresInMs = tokenLifetimeMs(token.accessToken, token.expiresIn, this.now());
    return { kind: 'granted', accessToken: token.accessToken, expiresInMs };
  }

  private balanceContext(connection: OneSingleViewConnection, accessToken: string): FailureContext {
    return {
      table: ONESINGLEVIEW_ERRORS,
      what: 'OneSingleView',
      connection,
      secrets: [accessToken],
      renewsToken: true,
      countsAsRead: true,
      keepsBody: true,
      now: this.now(),
    };
  }

  private tokenContext(connection: OneSingleViewConnection): FailureContext {
    return {
      table: ONESINGLEVIEW_TOKEN_ERRORS,
      what: 'OneSingleView token request',
      connection,
      secrets: [],
      renewsToken: false,
      countsAsRead: false,
      keepsBody: false,
      now: this.now(),
    };
  }
}

/** A success without a token that could be used: nothing to repeat, and no reason to stop anything. */
const NO_TOKEN = {
  kind: 'failed',
  outcome: 'BANK_ERROR',
  retry: 'next-slot',
  stops: 'nothing',
  bytesMayHaveLeft: false,
} as const;

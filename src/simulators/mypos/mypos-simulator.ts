import { SANDBOX_MYPOS } from '../defaults';
import type { FiredFaults } from '../kernel/fault-engine';
import { Fields } from '../kernel/fields';
import { accountRoutes, type Consent, consentFrom, isOver, type Token, tokenFrom } from '../kernel/grants';
import { RecentSet } from '../kernel/history';
import { listen, type RunningSimulator, type ServerOptions } from '../kernel/server';
import {
  bearerToken,
  type Call,
  type ControlHandler,
  headerText,
  isUuid,
  type Route,
  settled,
  SimulatedClock,
  type SimulatedRequest,
  type Simulator,
} from '../kernel/simulator';
import type { Reply } from '../kernel/wire';
import { balancesBody, type MyposAccount, myposAccountFrom } from './mypos-account';
import { ReadBudget } from './read-budget';

export interface MyposOptions extends ServerOptions {
  apiKey?: string;
  /** registered as valid without end; more by POST /_sim/tokens */
  accessToken?: string;
  /** registered as valid for every account; more by POST /_sim/consents */
  consentId?: string;
  /** reads per consent and account in 24 hours without a PSU; default none */
  readsPerDay?: number;
}

const BALANCES = /^\/v1\/accounts\/([^/]+)\/balances$/;
const CONSENT_STATUS = /^\/v1\/consents\/([^/]+)\/status$/;
const REMEMBERED_REQUEST_IDS = 500_000;

/** An error as Berlin Group's XS2A writes it; myPOS documents no form of its own. */
function tppError(status: number, code: string, text: string): Reply {
  return { status, body: JSON.stringify({ tppMessages: [{ category: 'ERROR', code, text }] }), note: code };
}

const CODES: Record<number, string> = {
  400: 'FORMAT_ERROR',
  401: 'TOKEN_INVALID',
  403: 'SERVICE_BLOCKED',
  404: 'RESOURCE_UNKNOWN',
  429: 'ACCESS_EXCEEDED',
};

class MyposSimulator implements Simulator {
  readonly name = 'mypos';
  readonly control: Readonly<Record<string, ControlHandler>>;
  private readonly accounts = new Map<string, MyposAccount>();
  private readonly tokens = new Map<string, Token>();
  private readonly consents = new Map<string, Consent>();
  private readonly requestIds = new RecentSet(REMEMBERED_REQUEST_IDS);
  private readonly budget = new ReadBudget();
  private readsPerDay: number | undefined;
  private repeatedRequestIds = 0;
  private balanceReads = 0;

  constructor(
    private readonly options: MyposOptions,
    private readonly clock: SimulatedClock,
  ) {
    this.control = {
      ...accountRoutes({
        map: this.accounts,
        key: (given) => given.text('accountNumber'),
        read: myposAccountFrom,
        list: (body) => Fields.list(body, 'accounts'),
      }),
      'POST /_sim/tokens': ({ body }) => {
        for (const given of Fields.list(body, 'tokens')) this.putToken(given);
        return { tokens: this.tokens.size };
      },
      'POST /_sim/consents': ({ body }) => {
        for (const given of Fields.list(body, 'consents')) this.putConsent(given);
        return { consents: this.consents.size };
      },
    };
    this.reset();
  }

  reset(): void {
    for (const register of [this.accounts, this.tokens, this.consents, this.requestIds, this.budget]) register.clear();
    this.readsPerDay = this.options.readsPerDay;
    this.repeatedRequestIds = 0;
    this.balanceReads = 0;
    this.putToken(Fields.of({ token: this.options.accessToken ?? SANDBOX_MYPOS.accessToken }, 'token'));
    this.putConsent(Fields.of({ consentId: this.options.consentId ?? SANDBOX_MYPOS.consentId }, 'consent'));
  }

  route(path: string): Route {
    const account = BALANCES.exec(path)?.[1];
    if (account !== undefined) return { label: '/v1/accounts/{account}/balances', account: decoded(account) };
    return { label: CONSENT_STATUS.test(path) ? '/v1/consents/{consentId}/status' : path.slice(0, 200), account: '' };
  }

  open(request: SimulatedRequest): Call {
    const requestId = headerText(request.headers, 'x-request-id') ?? '';
    const { account } = request.route;
    return settled(
      requestId,
      (faults) => this.answer(request, requestId, faults),
      account === '' ? undefined : [account],
    );
  }

  errorBody(status: number): string {
    return tppError(status, CODES[status] ?? 'INTERNAL_SERVER_ERROR', 'told to fail').body;
  }

  settings(given: Fields): Record<string, unknown> {
    if (given.has('readsPerDay')) this.readsPerDay = given.optionalNumber('readsPerDay');
    return { readsPerDay: this.readsPerDay ?? null };
  }

  stats(): Record<string, unknown> {
    const { balanceReads, repeatedRequestIds } = this;
    return { accounts: this.accounts.size, balanceReads, repeatedRequestIds };
  }

  private answer(request: SimulatedRequest, requestId: string, faults: FiredFaults): Reply {
    const reply = this.refusal(request, requestId, faults) ?? this.resource(request);
    // The page lists X-Request-ID among the response headers, as mandatory.
    return requestId === '' ? reply : { ...reply, headers: { 'X-Request-ID': requestId } };
  }

  /** What every call must carry. */
  private refusal(request: SimulatedRequest, requestId: string, faults: FiredFaults): Reply | undefined {
    if (!isUuid(requestId)) return tppError(400, 'FORMAT_ERROR', 'X-Request-ID must be a UUID');
    if (!this.requestIds.add(requestId.toLowerCase())) {
      this.repeatedRequestIds += 1;
      return { ...tppError(400, 'FORMAT_ERROR', 'X-Request-ID was used before'), note: 'REQUEST_ID_REPEATED' };
    }
    const apiKey = headerText(request.headers, 'api-key');
    if (apiKey === undefined) return tppError(400, 'FORMAT_ERROR', 'API-Key is mandatory');
    if (apiKey !== (this.options.apiKey ?? SANDBOX_MYPOS.apiKey)) {
      return tppError(403, 'SERVICE_BLOCKED', 'API-Key is not known');
    }
    return this.tokenRefusal(request, faults);
  }

  private tokenRefusal(request: SimulatedRequest, faults: FiredFaults): Reply | undefined {
    const token = this.tokens.get(bearerToken(request.headers) ?? '');
    if (token === undefined) return tppError(401, 'TOKEN_UNKNOWN', 'the access token is missing or not known');
    if (faults.find('token-expiry') !== undefined) token.expiresAt = this.clock.now();
    if (token.revoked) return tppError(401, 'TOKEN_INVALID', 'the access token was revoked');
    if (isOver(token.expiresAt, this.clock.now()))
      return tppError(401, 'TOKEN_EXPIRED', 'the access token has expired');
    return undefined;
  }

  private resource(request: SimulatedRequest): Reply {
    if (request.method !== 'GET') return tppError(405, 'SERVICE_INVALID', 'the method is not supported here');
    if (request.route.account !== '') return this.balances(request, request.route.account);
    const consentId = CONSENT_STATUS.exec(request.path)?.[1];
    if (consentId === undefined) return tppError(404, 'RESOURCE_UNKNOWN', 'no such resource');
    return this.consentStatus(decoded(consentId));
  }

  private consentStatus(consentId: string): Reply {
    const consent = this.consents.get(consentId.toLowerCase());
    if (consent === undefined) return tppError(403, 'CONSENT_UNKNOWN', 'the consent is not known');
    const status = isOver(consent.validUntil, this.clock.now()) ? 'expired' : consent.status;
    // myPOS' own samples capitalise the first letter of the word that its model page writes small.
    const consentStatus = status.charAt(0).toUpperCase() + status.slice(1);
    return { status: 200, body: JSON.stringify({ consentId: consent.consentId, consentStatus }) };
  }

  private balances(request: SimulatedRequest, accountNumber: string): Reply {
    const consentId = headerText(request.headers, 'consent-id') ?? '';
    if (!isUuid(consentId)) return tppError(400, 'FORMAT_ERROR', 'Consent-ID must be a UUID');
    const refusal = this.consentRefusal(consentId, accountNumber, bearerToken(request.headers) ?? '');
    if (refusal !== undefined) return refusal;
    const account = this.accounts.get(accountNumber);
    if (account === undefined) return tppError(404, 'RESOURCE_UNKNOWN', 'the account is not known');
    const attended = request.headers['psu-ip-address'] !== undefined;
    const { readsPerDay } = this;
    if (readsPerDay !== undefined && !attended) {
      const subject = `${consentId} ${accountNumber}`;
      if (!this.budget.take(subject, readsPerDay, this.clock.now())) {
        return tppError(429, 'ACCESS_EXCEEDED', 'the daily reads without the PSU are used up');
      }
    }
    this.balanceReads += 1;
    account.answer ??= balancesBody(account.script);
    return { status: 200, body: account.answer };
  }

  private consentRefusal(consentId: string, accountNumber: string, token: string): Reply | undefined {
    const consent = this.consents.get(consentId.toLowerCase());
    if (consent === undefined) return tppError(403, 'CONSENT_UNKNOWN', 'the consent is not known');
    const bound = this.tokens.get(token)?.consentId;
    if (bound !== undefined && bound.toLowerCase() !== consentId.toLowerCase()) {
      return tppError(401, 'TOKEN_INVALID', 'the access token belongs to another consent');
    }
    if (consent.status === 'expired' || isOver(consent.validUntil, this.clock.now())) {
      return tppError(401, 'CONSENT_EXPIRED', 'the consent has expired');
    }
    if (consent.status !== 'valid') return tppError(401, 'CONSENT_INVALID', `the consent is ${consent.status}`);
    if (consent.accounts !== undefined && !consent.accounts.has(accountNumber)) {
      return tppError(401, 'CONSENT_INVALID', 'the consent does not cover the account');
    }
    return undefined;
  }

  private putToken(given: Fields): void {
    const token = tokenFrom(given, this.tokens.get(given.text('token')), this.clock.now());
    this.tokens.set(token.token, token);
  }

  private putConsent(given: Fields): void {
    const key = given.text('consentId').toLowerCase();
    this.consents.set(key, consentFrom(given, this.consents.get(key), this.clock.now()));
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** A myPOS PSD2 API on a port of its own: `GET /v1/accounts/{accountNumber}/balances`, `GET /v1/consents/{id}/status`. */
export function startMyposSimulator(options: MyposOptions = {}): Promise<RunningSimulator> {
  const clock = new SimulatedClock();
  return listen(new MyposSimulator(options, clock), clock, options);
}

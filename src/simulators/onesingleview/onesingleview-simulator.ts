import { SANDBOX_ONESINGLEVIEW } from '../defaults';
import type { FiredFaults } from '../kernel/fault-engine';
import { Fields } from '../kernel/fields';
import { accountRoutes, type Consent, consentFrom, isOver } from '../kernel/grants';
import { RecentSet } from '../kernel/history';
import { listen, type RunningSimulator, type ServerOptions } from '../kernel/server';
import {
  bearerToken,
  type Call,
  type ControlHandler,
  headerText,
  type Route,
  settled,
  SimulatedClock,
  type SimulatedRequest,
  type Simulator,
} from '../kernel/simulator';
import type { Reply } from '../kernel/wire';
import { type Bank, banksIn, type Body, bodyOf, envelopeProblem, signatureOf, SPELLINGS, textIn } from './envelope';
import {
  accountKey,
  type OneSingleViewAccount,
  oneSingleViewAccountFrom,
  payloadElement,
} from './onesingleview-account';
import { changedSettings, DEFAULT_SETTINGS, type OneSingleViewSettings } from './onesingleview-settings';
import { TokenMint } from './token-mint';

export interface OneSingleViewOptions extends ServerOptions {
  clientId?: string;
  clientCode?: string;
  signatureKey?: string;
  merchantId?: string;
  /** registered with its consent as valid for every account; more by POST /_sim/consents */
  bankCode?: string;
  consentId?: string;
}

const TOKEN_PATH = '/v1/api/observice/token';
const BALANCE_PATH = '/v1/api/observice/balanceById';
const REMEMBERED_REQUEST_IDS = 500_000;

type ErrorCode = 'APIERR400' | 'APIERR401' | 'APIERR500';

/** The documented failure shape. Which HTTP status goes with which code is not documented. */
function failure(status: number, errorCode: ErrorCode, message: string, note: string = errorCode): Reply {
  return { status, body: JSON.stringify({ status: 'FAILURE', errorCode, message }), note };
}

const badRequest = (message: string, note?: string): Reply => failure(400, 'APIERR400', message, note);
const unauthorised = (note: string): Reply => failure(401, 'APIERR401', 'Unauthorized or Invalid', note);

class OneSingleViewSimulator implements Simulator {
  readonly name = 'onesingleview';
  readonly control: Readonly<Record<string, ControlHandler>>;
  private readonly known: Required<Omit<OneSingleViewOptions, keyof ServerOptions>>;
  private readonly accounts = new Map<string, OneSingleViewAccount>();
  private readonly consents = new Map<string, Consent>();
  private readonly bankCodes = new Set<string>();
  private readonly requestIds = new RecentSet(REMEMBERED_REQUEST_IDS);
  private readonly mint = new TokenMint();
  private current: OneSingleViewSettings = DEFAULT_SETTINGS;
  private repeatedRequestIds = 0;
  private balanceReads = 0;

  constructor(
    options: OneSingleViewOptions,
    private readonly clock: SimulatedClock,
  ) {
    this.known = { ...SANDBOX_ONESINGLEVIEW, ...options };
    this.control = {
      ...accountRoutes({
        map: this.accounts,
        key: (given) => accountKey(given.text('bankCode'), given.text('accountId')),
        read: oneSingleViewAccountFrom,
        list: (body) => Fields.list(body, 'accounts'),
      }),
      'POST /_sim/tokens': ({ body }) => {
        for (const given of Fields.list(body, 'tokens')) this.mint.put(given, this.clock.now());
        return {};
      },
      'DELETE /_sim/tokens': () => {
        this.mint.revokeAll();
        return {};
      },
      'POST /_sim/consents': ({ body }) => {
        for (const given of Fields.list(body, 'consents')) this.putConsent(given);
        return { consents: this.consents.size };
      },
    };
    this.reset();
  }

  reset(): void {
    for (const register of [this.accounts, this.consents, this.bankCodes, this.requestIds]) register.clear();
    this.mint.reset();
    this.current = DEFAULT_SETTINGS;
    this.repeatedRequestIds = 0;
    this.balanceReads = 0;
    const { consentId, bankCode } = this.known;
    this.putConsent(Fields.of({ consentId, bankCode }, 'consent'));
  }

  route(path: string): Route {
    return { label: path.slice(0, 200), account: '' };
  }

  open(request: SimulatedRequest): Call {
    const body = bodyOf(request.body);
    const accounts = body === undefined ? [] : (banksIn(body) ?? []).map((bank) => bank.accountId);
    const requestId =
      (body === undefined ? undefined : textIn(body, SPELLINGS[this.current.envelopeSpelling].requestId)) ?? '';
    return settled(requestId, (faults) => this.answer(request, body, faults), accounts);
  }

  errorBody(status: number): string {
    const code = status === 401 || status === 403 ? 'APIERR401' : status >= 500 ? 'APIERR500' : 'APIERR400';
    return failure(status, code, status >= 500 ? 'Technical Error' : 'told to fail').body;
  }

  settings(given: Fields): Record<string, unknown> {
    this.current = changedSettings(this.current, given);
    return { ...this.current };
  }

  stats(): Record<string, unknown> {
    const { balanceReads, repeatedRequestIds } = this;
    return { accounts: this.accounts.size, balanceReads, repeatedRequestIds, tokensMinted: this.mint.minted };
  }

  private answer(request: SimulatedRequest, body: Body | undefined, faults: FiredFaults): Reply {
    const { path } = request;
    if (path !== TOKEN_PATH && path !== BALANCE_PATH) return failure(404, 'APIERR400', 'No such service');
    if (request.method !== 'POST') return failure(405, 'APIERR400', 'Method not allowed');
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
      return badRequest('Content-Type must be application/json');
    }
    if (body === undefined) return badRequest('the body is not JSON');
    const refusal = this.headerRefusal(request, body);
    if (refusal !== undefined) return refusal;
    return path === TOKEN_PATH ? this.token(body) : this.balances(request, body, faults);
  }

  /** clientId, clientCode and signature, which the token call carries too. */
  private headerRefusal(request: SimulatedRequest, body: Body): Reply | undefined {
    const { headers } = request;
    if (this.current.headerSet === 'four') {
      if (headerText(headers, 'clientid') !== this.known.clientId) return unauthorised('CLIENT_ID');
      if (headerText(headers, 'clientcode') !== this.known.clientCode) return unauthorised('CLIENT_CODE');
    }
    const signature = headerText(headers, 'signature');
    if (signature !== signatureOf(request.body, this.known.signatureKey)) return unauthorised('SIGNATURE');
    if (!this.current.strictSerialisation) return undefined;
    // The vendor's sample hashes JSON.stringify of the parsed body, so a body written in another way fails there.
    const written = Buffer.from(JSON.stringify(body));
    return written.equals(request.body) ? undefined : unauthorised('SERIALISATION');
  }

  private token(body: Body): Reply {
    const { clientId, clientCode, merchantId } = this.known;
    const missing = ['clientId', 'clientCode', 'merchantId', 'grantType'].find((name) => !textIn(body, name));
    if (missing !== undefined) return badRequest(`${missing} is mandatory`);
    if (textIn(body, 'grantType')?.toLowerCase() !== 'client_credentials') return badRequest('grantType is not known');
    const same =
      textIn(body, 'clientId') === clientId &&
      textIn(body, 'clientCode') === clientCode &&
      textIn(body, 'merchantId') === merchantId;
    if (!same) return unauthorised('CREDENTIALS');
    const { token, expiresIn } = this.mint.mint(this.clock.now(), this.current);
    const payload = { access_token: token, token_type: 'Bearer', expires_in: expiresIn };
    return { status: 200, body: JSON.stringify({ success: true, payload }) };
  }

  private balances(request: SimulatedRequest, body: Body, faults: FiredFaults): Reply {
    const now = this.clock.now();
    const token = bearerToken(request.headers) ?? '';
    if (faults.find('token-expiry') !== undefined) this.mint.expire(token);
    if (!this.mint.isGood(token, now))
      return failure(401, 'APIERR401', 'Token is missing, invalid or expired', 'TOKEN');
    const { merchantId } = this.known;
    const { stampToleranceMs: toleranceMs, envelopeSpelling: spelling } = this.current;
    const problem = envelopeProblem(body, { merchantId, now, toleranceMs, spelling });
    if (problem !== undefined) return badRequest(problem);
    const requestId = textIn(body, SPELLINGS[this.current.envelopeSpelling].requestId) ?? '';
    if (!this.requestIds.add(requestId.toLowerCase())) {
      this.repeatedRequestIds += 1;
      return badRequest('requestID was used before', 'REQUEST_ID_REPEATED');
    }
    const banks = banksIn(body);
    if (banks === undefined) return badRequest('banks needs code, consentId and accountId');
    const elements: string[] = [];
    for (const bank of banks) {
      const found = this.read(bank);
      if (typeof found !== 'string') return found;
      elements.push(found);
    }
    this.balanceReads += elements.length;
    return { status: 200, body: `{"success":true,"payload":[${elements.join(',')}]}` };
  }

  private read(bank: Bank): string | Reply {
    const consent = this.consents.get(bank.consentId);
    if (!this.bankCodes.has(bank.code)) return badRequest('Selected bank not available for your app', 'BANK');
    if (consent === undefined || consent.bankCode !== bank.code) return consentFailure('Consent is unknown');
    if (isOver(consent.validUntil, this.clock.now()) || consent.status === 'expired') {
      return consentFailure('Consent has expired');
    }
    if (consent.status !== 'valid') return consentFailure(`Consent is not valid: ${consent.status}`);
    if (consent.accounts !== undefined && !consent.accounts.has(bank.accountId)) {
      return consentFailure('Consent is not valid for this account');
    }
    const account = this.accounts.get(accountKey(bank.code, bank.accountId));
    if (account === undefined) return failure(404, 'APIERR400', 'Account not found', 'ACCOUNT');
    account.answer ??= payloadElement(account.script);
    return account.answer;
  }

  private putConsent(given: Fields): void {
    const key = given.text('consentId');
    const consent = consentFrom(given, this.consents.get(key), this.clock.now());
    this.consents.set(key, consent);
    if (consent.bankCode !== undefined) this.bankCodes.add(consent.bankCode);
  }
}

function consentFailure(message: string): Reply {
  return failure(403, 'APIERR401', message, 'CONSENT');
}

/** A OneSingleView Open Banking API on a port of its own: `POST /v1/api/observice/token` and `…/balanceById`. */
export function startOneSingleViewSimulator(options: OneSingleViewOptions = {}): Promise<RunningSimulator> {
  const clock = new SimulatedClock();
  return listen(new OneSingleViewSimulator(options, clock), clock, options);
}

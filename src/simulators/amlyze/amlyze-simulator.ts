import { SANDBOX_AMLYZE } from '../defaults';
import type { FiredFaults } from '../kernel/fault-engine';
import { Fields } from '../kernel/fields';
import { isOver, type Token, tokenFrom } from '../kernel/grants';
import { listen, type RunningSimulator, type ServerOptions } from '../kernel/server';
import {
  bearerToken,
  type Call,
  type ControlHandler,
  headerText,
  type Route,
  SimulatedClock,
  type SimulatedRequest,
  type Simulator,
} from '../kernel/simulator';
import { DROP, type Reply } from '../kernel/wire';
import { AccountRegister } from './accounts';
import { amlyzeControl } from './amlyze-control';
import { type AmlyzeSettings, changedSettings, DEFAULT_SETTINGS } from './amlyze-settings';
import type { IntakeContext } from './intake';
import { Ledger } from './ledger';
import { type Endpoint, type Items, itemsOf } from './requests';
import { distorted } from './results';
import { Register } from './register';

export interface AmlyzeOptions extends ServerOptions {
  /** registered as valid without end; more by POST /_sim/tokens */
  token?: string;
  batchPath?: string;
  singlePath?: string;
  operationPath?: string;
  batchOperationsPath?: string;
  validateOperationsPath?: string;
  /** records that the ledger keeps, default 2,000,000; beyond it the oldest go, and their numbers may be used again */
  ledgerCapacity?: number;
}

const LEDGER_CAPACITY = 2_000_000;

const REASONS: Record<number, string> = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
};

function endpointsOf(options: AmlyzeOptions): ReadonlyMap<string, Endpoint> {
  const base = '/amlyze-ws-rest';
  return new Map<string, Endpoint>([
    [options.batchPath ?? `${base}/batch-account-balances`, { kind: 'balance', form: 'batch', dryRun: false }],
    [options.singlePath ?? `${base}/account-balance`, { kind: 'balance', form: 'single', dryRun: false }],
    [options.operationPath ?? `${base}/operation`, { kind: 'operation', form: 'single', dryRun: false }],
    [options.batchOperationsPath ?? `${base}/batch-operations`, { kind: 'operation', form: 'batch', dryRun: false }],
    [
      options.validateOperationsPath ?? `${base}/validate-batch-operations`,
      { kind: 'operation', form: 'batch', dryRun: true },
    ],
  ]);
}

class AmlyzeSimulator implements Simulator {
  readonly name = 'amlyze';
  readonly control: Readonly<Record<string, ControlHandler>>;
  private readonly accounts = new AccountRegister();
  private readonly tokens = new Map<string, Token>();
  private readonly ledger: Ledger;
  private readonly register: Register;
  private readonly endpoints: ReadonlyMap<string, Endpoint>;
  private current: AmlyzeSettings = DEFAULT_SETTINGS;

  constructor(
    private readonly options: AmlyzeOptions,
    private readonly clock: SimulatedClock,
  ) {
    this.endpoints = endpointsOf(options);
    this.ledger = new Ledger(options.ledgerCapacity ?? LEDGER_CAPACITY);
    this.register = new Register(this.ledger, this.accounts);
    this.control = amlyzeControl({
      accounts: this.accounts,
      ledger: this.ledger,
      putTokens: (given) => {
        for (const each of given) this.putToken(each);
        return this.tokens.size;
      },
    });
    this.reset();
  }

  reset(): void {
    for (const each of [this.accounts, this.tokens, this.ledger]) each.clear();
    this.register.reset();
    this.current = DEFAULT_SETTINGS;
    this.putToken(Fields.of({ token: this.options.token ?? SANDBOX_AMLYZE.token }, 'token'));
  }

  route(path: string): Route {
    return { label: path.slice(0, 200), account: '' };
  }

  open(request: SimulatedRequest): Call {
    const endpoint = this.endpoints.get(request.path);
    const items = endpoint === undefined ? undefined : itemsOf(request.body, endpoint);
    const each = items?.list ?? [];
    return {
      accounts: each.map((item) => item.accountExtId ?? ''),
      communicationNumbers: each.map((item) => item.communicationNumber ?? ''),
      operationExtIds: each.map((item) => item.operationExtId ?? ''),
      requestId: endpoint?.form === 'single' ? (each[0]?.communicationNumber ?? '') : '',
      items: endpoint?.form === 'batch' ? each.length : 0,
      answer: (faults) => this.answer(request, items, faults),
    };
  }

  errorBody(status: number, path: string): string {
    if (status === 401) return JSON.stringify({ error: { code: 'unauthorized' } });
    if (status >= 500) {
      return JSON.stringify({ resultType: 'REQUEST_REJECTED', status, error: 'Internal Server Error' });
    }
    const error = REASONS[status] ?? 'Error';
    return JSON.stringify({ timestamp: new Date(this.clock.now()).toISOString(), status, error, path });
  }

  settings(given: Fields): Record<string, unknown> {
    this.current = changedSettings(this.current, given);
    return { ...this.current };
  }

  stats(): Record<string, unknown> {
    const ledger = this.ledger.end - this.ledger.start;
    return { accounts: this.accounts.size, ...this.register.counts(), ledger };
  }

  private refusal(status: number, path: string, note?: string): Reply {
    const body = this.errorBody(status, path);
    return note === undefined ? { status, body } : { status, body, note };
  }

  private answer(request: SimulatedRequest, items: Items | undefined, faults: FiredFaults): Reply {
    const { path, method, headers } = request;
    const token = this.tokens.get(bearerToken(headers) ?? '');
    if (token === undefined || token.revoked || isOver(token.expiresAt, this.clock.now())) {
      return this.refusal(401, path, 'TOKEN');
    }
    const endpoint = this.endpoints.get(path);
    if (endpoint === undefined) return this.refusal(404, path);
    if (!this.methods(endpoint).includes(method)) return this.refusal(405, path);
    if (!/^application\/json\b/i.test(headers['content-type'] ?? '')) return this.refusal(415, path);
    if (items === undefined) return this.refusal(400, path, 'UNREADABLE');
    const tenant = this.current.tenantHeader;
    if (tenant !== null && headerText(headers, tenant.name) !== tenant.value) {
      const errorDescription = `Tenant header ’${tenant.name}’ is mandatory.`;
      const body = JSON.stringify({ resultType: 'REQUEST_REJECTED', errorCode: '', errorDescription });
      return { status: 400, body, note: 'TENANT' };
    }
    const context = this.context(request, endpoint, faults);
    return endpoint.form === 'batch' ? this.batch(path, items, context) : this.single(path, items, context);
  }

  private methods({ kind, form }: Endpoint): readonly string[] {
    const { operationMethods, batchMethods, singleMethods } = this.current;
    if (kind === 'operation') return operationMethods;
    return form === 'batch' ? batchMethods : singleMethods;
  }

  private batch(path: string, items: Items, context: IntakeContext): Reply {
    const { faults } = context;
    const tooMany = faults.find('too-large')?.action.maxItems ?? this.current.maxBatchItems;
    if (tooMany !== null && items.list.length > tooMany) return this.refusal(413, path);
    if (faults.find('reject-batch-containing') !== undefined) return this.refusal(400, path);
    const part = faults.find('commit-part')?.action;
    if (part !== undefined) {
      this.register.judge(items, context, part.count);
      return part.drop === true ? DROP : this.refusal(500, path);
    }
    const results = distorted(this.register.judge(items, context), items.kind, faults);
    return { status: 200, body: JSON.stringify({ results, timeElapsedMs: items.list.length }) };
  }

  private single(path: string, items: Items, context: IntakeContext): Reply {
    const { faults } = context;
    const poison = faults.find('reject-batch-containing')?.action;
    if (poison !== undefined) {
      const what = items.kind === 'balance' ? 'Account balance' : 'Operation';
      const { errorCode = '001', errorDescription = `${what} is not acceptable` } = poison;
      return rejection(errorCode, errorDescription);
    }
    const part = faults.find('commit-part')?.action;
    const [judged] = this.register.judge(items, context, part?.count);
    if (part !== undefined) return part.drop === true ? DROP : this.refusal(500, path);
    const { errorCode, errorDescription = '' } = judged?.result ?? {};
    if (errorCode === undefined) return { status: 200, body: '{"resultType":"REQUEST_ACCEPTED"}' };
    return errorCode === '500' ? this.refusal(500, path) : rejection(errorCode, errorDescription);
  }

  private context(request: SimulatedRequest, endpoint: Endpoint, faults: FiredFaults): IntakeContext {
    const tenant = this.current.tenantHeader?.value ?? 'sandbox';
    const { form, dryRun } = endpoint;
    return { no: request.no, at: this.clock.now(), form, dryRun, faults, settings: this.current, tenant };
  }

  private putToken(given: Fields): void {
    const token = tokenFrom(given, this.tokens.get(given.text('token')), this.clock.now());
    this.tokens.set(token.token, token);
  }
}

function rejection(errorCode: string, errorDescription: string): Reply {
  const body = JSON.stringify({ resultType: 'REQUEST_REJECTED', errorCode, errorDescription });
  return { status: 400, body, note: 'REJECTED' };
}

/** AMLYZE on a port of its own: its endpoints for balances and for operations, and a ledger of what it took. */
export function startAmlyzeSimulator(options: AmlyzeOptions = {}): Promise<RunningSimulator> {
  const clock = new SimulatedClock();
  return listen(new AmlyzeSimulator(options, clock), clock, options);
}

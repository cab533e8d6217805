import { SANDBOX_AMLYZE } from '../defaults';
import { pageOf } from '../kernel/control';
import type { FiredFaults } from '../kernel/fault-engine';
import { Fields } from '../kernel/fields';
import { accountRoutes, isOver, type Token, tokenFrom } from '../kernel/grants';
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
import { type AmlyzeSettings, changedSettings, DEFAULT_SETTINGS } from './amlyze-settings';
import { type BalanceItem, itemsOf } from './balance-item';
import { type AmlyzeAccount, Intake, type IntakeContext } from './intake';
import { Ledger } from './ledger';
import { distorted, resultOf } from './results';

export interface AmlyzeOptions extends ServerOptions {
  /** registered as valid without end; more by POST /_sim/tokens */
  token?: string;
  batchPath?: string;
  singlePath?: string;
  /** records that the ledger keeps, default 2,000,000; beyond it the oldest go, and their numbers may be used again */
  ledgerCapacity?: number;
}

const BATCH_PATH = '/amlyze-ws-rest/batch-account-balances';
const SINGLE_PATH = '/amlyze-ws-rest/account-balance';
const LEDGER_CAPACITY = 2_000_000;

const REASONS: Record<number, string> = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
};

class AmlyzeSimulator implements Simulator {
  readonly name = 'amlyze';
  readonly control: Readonly<Record<string, ControlHandler>>;
  private readonly accounts = new Map<string, AmlyzeAccount>();
  private readonly tokens = new Map<string, Token>();
  private readonly ledger: Ledger;
  private readonly intake: Intake;
  private current: AmlyzeSettings = DEFAULT_SETTINGS;

  constructor(
    private readonly options: AmlyzeOptions,
    private readonly clock: SimulatedClock,
  ) {
    this.ledger = new Ledger(options.ledgerCapacity ?? LEDGER_CAPACITY);
    this.intake = new Intake(this.ledger, this.accounts);
    this.control = {
      ...accountRoutes({
        map: this.accounts,
        key: (given) => given.text('accountExtId'),
        read: (given, former) => ({
          accountExtId: given.text('accountExtId'),
          currency: given.optionalText('currency') ?? former?.currency,
        }),
        list: (body) => Fields.list(body, 'accounts'),
      }),
      'POST /_sim/tokens': ({ body }) => {
        for (const given of Fields.list(body, 'tokens')) this.putToken(given);
        return { tokens: this.tokens.size };
      },
      'POST /_sim/used-numbers': ({ body }) => {
        const numbers = Fields.of(body, 'body').texts('communicationNumbers') ?? [];
        for (const number of numbers) this.ledger.burn(number, 'somebody-else');
        return { burnt: numbers.length };
      },
      'GET /_sim/ledger': ({ query }) => this.ledgerPage(query),
    };
    this.reset();
  }

  reset(): void {
    for (const register of [this.accounts, this.tokens, this.ledger]) register.clear();
    this.intake.reset();
    this.current = DEFAULT_SETTINGS;
    this.putToken(Fields.of({ token: this.options.token ?? SANDBOX_AMLYZE.token }, 'token'));
  }

  route(path: string): Route {
    return { label: path.slice(0, 200), account: '' };
  }

  open(request: SimulatedRequest): Call {
    const form = this.formOf(request.path);
    const items = form === undefined ? undefined : itemsOf(request.body, form);
    const each = items ?? [];
    return {
      accounts: each.map((item) => item.accountExtId ?? ''),
      communicationNumbers: each.map((item) => item.communicationNumber ?? ''),
      requestId: form === 'single' ? (each[0]?.communicationNumber ?? '') : '',
      items: form === 'batch' ? each.length : 0,
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
    const { accepted, rejected, replays, replaysWithOtherContent } = this.intake;
    const ledger = this.ledger.end - this.ledger.start;
    return { accounts: this.accounts.size, accepted, rejected, replays, replaysWithOtherContent, ledger };
  }

  private formOf(path: string): 'batch' | 'single' | undefined {
    if (path === (this.options.batchPath ?? BATCH_PATH)) return 'batch';
    return path === (this.options.singlePath ?? SINGLE_PATH) ? 'single' : undefined;
  }

  private refusal(status: number, path: string, note?: string): Reply {
    const body = this.errorBody(status, path);
    return note === undefined ? { status, body } : { status, body, note };
  }

  private answer(request: SimulatedRequest, items: BalanceItem[] | undefined, faults: FiredFaults): Reply {
    const { path, method, headers } = request;
    const token = this.tokens.get(bearerToken(headers) ?? '');
    if (token === undefined || token.revoked || isOver(token.expiresAt, this.clock.now())) {
      return this.refusal(401, path, 'TOKEN');
    }
    const form = this.formOf(path);
    if (form === undefined) return this.refusal(404, path);
    const methods = form === 'batch' ? this.current.batchMethods : this.current.singleMethods;
    if (!methods.includes(method)) return this.refusal(405, path);
    if (!/^application\/json\b/i.test(headers['content-type'] ?? '')) return this.refusal(415, path);
    if (items === undefined) return this.refusal(400, path, 'UNREADABLE');
    const tenant = this.current.tenantHeader;
    if (tenant !== null && headerText(headers, tenant.name) !== tenant.value) {
      const errorDescription = `Tenant header ’${tenant.name}’ is mandatory.`;
      const body = JSON.stringify({ resultType: 'REQUEST_REJECTED', errorCode: '', errorDescription });
      return { status: 400, body, note: 'TENANT' };
    }
    return form === 'batch' ? this.batch(request, items, faults) : this.single(request, items, faults);
  }

  private batch(request: SimulatedRequest, items: BalanceItem[], faults: FiredFaults): Reply {
    const tooMany = faults.find('too-large')?.action.maxItems ?? this.current.maxBatchItems;
    if (tooMany !== null && items.length > tooMany) return this.refusal(413, request.path);
    if (faults.find('reject-batch-containing') !== undefined) return this.refusal(400, request.path);
    const part = faults.find('commit-part')?.action;
    const context = this.context(request, faults);
    if (part !== undefined) {
      for (const item of items.slice(0, part.count)) this.intake.take(item, context);
      return part.drop === true ? DROP : this.refusal(500, request.path);
    }
    const results = items.map((item) => resultOf(item, this.intake.take(item, context)));
    const body = JSON.stringify({ results: distorted(results, faults), timeElapsedMs: items.length });
    return { status: 200, body };
  }

  private single(request: SimulatedRequest, items: BalanceItem[], faults: FiredFaults): Reply {
    const [item] = items;
    if (item === undefined) return this.refusal(400, request.path);
    const poison = faults.find('reject-batch-containing')?.action;
    if (poison !== undefined) {
      const { errorCode = '001', errorDescription = 'Account balance is not acceptable' } = poison;
      return rejection(errorCode, errorDescription);
    }
    const part = faults.find('commit-part')?.action;
    const verdict = part?.count === 0 ? undefined : this.intake.take(item, this.context(request, faults));
    if (part !== undefined) return part.drop === true ? DROP : this.refusal(500, request.path);
    if (verdict === undefined) return { status: 200, body: '{"resultType":"REQUEST_ACCEPTED"}' };
    if (verdict.errorCode === '500') return this.refusal(500, request.path);
    return rejection(verdict.errorCode, verdict.errorDescription);
  }

  private context(request: SimulatedRequest, faults: FiredFaults): IntakeContext {
    const tenant = this.current.tenantHeader?.value ?? 'sandbox';
    return { no: request.no, at: this.clock.now(), faults, settings: this.current, tenant };
  }

  private ledgerPage(query: URLSearchParams): unknown {
    const number = query.get('communicationNumber');
    if (number !== null) {
      const entry = this.ledger.find(number);
      return { total: this.ledger.end, items: entry === undefined ? [] : [shown(entry)], nextOffset: null };
    }
    const account = query.get('accountExtId');
    const { items, next } = this.ledger.page(pageOf(query), (entry) => !account || entry.accountExtId === account);
    const nextOffset = next < this.ledger.end ? next : null;
    return { total: this.ledger.end, firstKept: this.ledger.start, items: items.map(shown), nextOffset };
  }

  private putToken(given: Fields): void {
    const token = tokenFrom(given, this.tokens.get(given.text('token')), this.clock.now());
    this.tokens.set(token.token, token);
  }
}

function shown<T extends { at: number }>(entry: T): Omit<T, 'at'> & { at: string } {
  return { ...entry, at: new Date(entry.at).toISOString() };
}

function rejection(errorCode: string, errorDescription: string): Reply {
  const body = JSON.stringify({ resultType: 'REQUEST_REJECTED', errorCode, errorDescription });
  return { status: 400, body, note: 'REJECTED' };
}

/** AMLYZE on a port of its own: `POST …/batch-account-balances`, `PUT …/account-balance`, and a ledger of what it took. */
export function startAmlyzeSimulator(options: AmlyzeOptions = {}): Promise<RunningSimulator> {
  const clock = new SimulatedClock();
  return listen(new AmlyzeSimulator(options, clock), clock, options);
}

import type { ServerResponse } from 'node:http';
import { faultRuleProblem, isFaultRule } from '../faults';
import type { AccessLog, Filter } from './access-log';
import type { ExchangeParts } from './exchange';
import { ControlProblem, Fields, listed } from './fields';
import type { ControlHandler, SimulatedClock } from './simulator';

/** Entries on one page where the caller does not say, and at most. */
const PAGE = 1000;
const MAX_PAGE = 10_000;

export interface Page {
  readonly offset: number;
  readonly limit: number;
}

function wholeNumber(query: URLSearchParams, name: string, byDefault: number): number {
  const text = query.get(name);
  if (text === null) return byDefault;
  if (!/^\d{1,15}$/.test(text)) throw new ControlProblem(`${name} must be a whole number`);
  return Number(text);
}

function instant(text: string): number {
  const found = Date.parse(text);
  if (Number.isNaN(found)) throw new ControlProblem('since must be a date and time');
  return found;
}

/** `offset` (0) and `limit` (1000, at most 10,000) of a list. */
export function pageOf(query: URLSearchParams): Page {
  return { offset: wholeNumber(query, 'offset', 0), limit: Math.min(wholeNumber(query, 'limit', PAGE), MAX_PAGE) };
}

function accessLogPage(log: AccessLog, query: URLSearchParams): unknown {
  const { offset, limit } = pageOf(query);
  const filter: Filter = {};
  const [account, path, status, since] = ['account', 'path', 'status', 'since'].map((name) => query.get(name));
  if (account != null) filter.account = account;
  if (path != null) filter.path = path;
  if (status != null) filter.status = wholeNumber(query, 'status', 0);
  if (since != null) filter.since = instant(since);
  const { items, next } = log.page(offset, limit, filter);
  return { total: log.end, firstKept: log.start, items, nextOffset: next < log.end ? next : null };
}

type ControlParts = ExchangeParts & { readonly clock: SimulatedClock };

/** The interface under /_sim/: what is the same for every simulator. */
export class Control {
  private readonly handlers: Readonly<Record<string, ControlHandler>>;

  constructor(private readonly parts: ControlParts) {
    const { simulator, log, faults, capacity } = parts;
    this.handlers = {
      ...simulator.control,
      'GET /_sim/stats': () => this.stats(),
      'GET /_sim/access-log': ({ query }) => accessLogPage(log, query),
      'GET /_sim/faults': () => faults.describe(),
      'POST /_sim/faults': ({ body }) => this.addFaults(body),
      'DELETE /_sim/faults': ({ query }) => ({
        removed: faults.remove(query.has('id') ? wholeNumber(query, 'id', 0) : undefined),
      }),
      'POST /_sim/capacity': ({ body }) => this.limitCapacity(body),
      'DELETE /_sim/capacity': () => {
        capacity.change(undefined);
        return {};
      },
      'POST /_sim/settings': ({ body }) => this.settings(Fields.of(body, 'settings')),
      'GET /_sim/settings': () => this.settings(Fields.of({}, 'settings')),
      'POST /_sim/reset': () => this.reset(),
    };
  }

  answer(
    response: ServerResponse,
    request: { method: string; path: string; query: URLSearchParams; body: Buffer | undefined },
  ): void {
    let status = 200;
    let answer: unknown;
    try {
      const handler = this.handlers[`${request.method} ${request.path}`];
      if (handler === undefined) {
        throw new ControlProblem(`no such control call; known: ${Object.keys(this.handlers).join(', ')}`, 404);
      }
      answer = handler({ query: request.query, body: this.parse(request.body) });
    } catch (problem) {
      status = problem instanceof ControlProblem ? problem.status : 500;
      answer = { error: problem instanceof Error ? problem.message : String(problem) };
    }
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(answer));
  }

  private parse(body: Buffer | undefined): unknown {
    if (body === undefined) throw new ControlProblem('too large', 413);
    if (body.length === 0) return {};
    try {
      return JSON.parse(body.toString('utf8'));
    } catch {
      throw new ControlProblem('the body is no JSON');
    }
  }

  private stats(): unknown {
    const { simulator, log, faults, statuses } = this.parts;
    const cpu = process.cpuUsage();
    return {
      name: simulator.name,
      requests: log.end,
      statuses: Object.fromEntries(statuses),
      faultsFired: faults.list().reduce((sum, fault) => sum + fault.fired, 0),
      cpuMs: Math.round((cpu.user + cpu.system) / 1000),
      rssMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
      ...simulator.stats(),
    };
  }

  /** One rule, a list, or {rules: […]}; all or none of them are taken. */
  private addFaults(body: unknown): unknown {
    const rules = listed(body, 'rules');
    const problem = rules.map(faultRuleProblem).find((each) => each !== undefined);
    if (problem !== undefined) throw new ControlProblem(problem);
    return { rules: rules.filter(isFaultRule).map((rule) => ({ id: this.parts.faults.add(rule).id, ...rule })) };
  }

  private limitCapacity(body: unknown): unknown {
    const given = Fields.of(body, 'capacity');
    const limit = {
      concurrent: given.number('concurrent'),
      msPerCall: given.number('msPerCall'),
      msPerItem: given.optionalNumber('msPerItem') ?? 0,
    };
    if (limit.concurrent < 1) throw new ControlProblem('capacity.concurrent must be at least 1');
    this.parts.capacity.change(limit);
    return limit;
  }

  private settings(given: Fields): unknown {
    const { clock, simulator } = this.parts;
    clock.offsetMs = given.optionalNumber('clockOffsetMs') ?? clock.offsetMs;
    return { clockOffsetMs: clock.offsetMs, ...simulator.settings(given) };
  }

  private reset(): unknown {
    const { simulator, log, faults, capacity, statuses, clock } = this.parts;
    faults.remove();
    capacity.change(undefined);
    log.clear();
    statuses.clear();
    clock.offsetMs = 0;
    simulator.reset();
    return {};
  }
}

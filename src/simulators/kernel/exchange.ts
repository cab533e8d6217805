import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { AccessLog } from './access-log';
import type { Capacity } from './capacity';
import type { FaultEngine } from './fault-engine';
import { FiredFaults } from './fault-engine';
import type { Call, Route, Simulator } from './simulator';
import { DROP, drip, drop, GIBIBYTE, gzipBomb, huge, LOGIN_PAGE, type Reply, send, truncate, wait } from './wire';

export interface ExchangeParts {
  readonly simulator: Simulator;
  readonly log: AccessLog;
  readonly faults: FaultEngine;
  readonly capacity: Capacity;
  /** how many answers of each status were given, 0 for none */
  readonly statuses: Map<number, number>;
}

interface Head {
  readonly no: number;
  readonly method: string;
  readonly path: string;
  readonly route: Route;
  readonly headers: IncomingHttpHeaders;
}

const asText = (problem: unknown): string => (problem instanceof Error ? problem.message : String(problem));

/** One request and its answer, with the wire faults that it meets. */
export class SimulatedExchange {
  private readonly startedAt = performance.now();
  private call: Call | undefined;

  constructor(
    private readonly parts: ExchangeParts,
    private readonly head: Head,
    private readonly response: ServerResponse,
  ) {}

  /** Closes the connection before the body was read. */
  dropUnread(): void {
    drop(this.response);
    this.finish(DROP, 'drop-before-read');
  }

  /** @param body undefined where it was larger than the simulator takes */
  serve(body: Buffer | undefined): void {
    const { simulator, log, faults, capacity } = this.parts;
    if (body === undefined) return this.answer({ status: 413, body: simulator.errorBody(413, this.head.path) });
    const call = simulator.open({ ...this.head, body });
    this.call = call;
    if (faults.idle && capacity.limit === undefined) return this.answer(this.work(call, FiredFaults.NONE));
    log.describe(this.head.no, this.seen(call));
    const { accounts, communicationNumbers, operationExtIds } = call;
    const fired = faults.pick({ path: this.head.path, accounts, communicationNumbers, operationExtIds });
    this.serveSlowly(call, fired).catch((problem: unknown) => {
      drop(this.response);
      this.finish(DROP, `simulator fault: ${asText(problem)}`);
    });
    return undefined;
  }

  private seen(call: Call): { account: string; requestId: string; items: number } {
    return { account: call.accounts[0] ?? this.head.route.account, requestId: call.requestId, items: call.items };
  }

  private work(call: Call, fired: FiredFaults): Reply {
    try {
      return call.answer(fired);
    } catch (problem) {
      return { status: 500, body: '{}', note: `simulator fault: ${asText(problem)}` };
    }
  }

  private answer(reply: Reply): void {
    send(this.response, reply);
    this.finish(reply, reply.note ?? '');
  }

  private finish(reply: Reply, note: string): void {
    const { log, statuses } = this.parts;
    if (this.call !== undefined) log.describe(this.head.no, this.seen(this.call));
    const durationMs = performance.now() - this.startedAt;
    log.finish(this.head.no, { status: reply.status, durationMs, note });
    statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
  }

  private async serveSlowly(call: Call, fired: FiredFaults): Promise<void> {
    const { capacity } = this.parts;
    const limited = capacity.limit !== undefined;
    if (limited) await capacity.enter();
    try {
      const latency = fired.find('latency')?.action;
      const latencyMs = latency && latency.ms + (latency.perItemMs ?? 0) * Math.max(call.items, 1);
      if (latencyMs !== undefined && latency?.before === true) await wait(latencyMs);
      const reply = this.faultyReply(call, fired);
      const serviceMs = capacity.serviceMs(call.items);
      if (serviceMs > 0) await wait(serviceMs);
      if (latencyMs !== undefined && latency?.before !== true) await wait(latencyMs);
      await this.transmit(reply, fired);
      this.finish(reply, [fired.note, reply.note ?? ''].filter(Boolean).join(' '));
    } finally {
      if (limited) capacity.leave();
    }
  }

  /** The reply that the faults make of the call, which is worked on only where they leave it. */
  private faultyReply(call: Call, fired: FiredFaults): Reply {
    if (fired.find('drop-before-read') !== undefined) return DROP;
    const instead = this.replacement(fired);
    if (instead !== undefined) {
      if (instead.afterCommit) this.work(call, fired);
      return instead.reply;
    }
    const reply = this.work(call, fired);
    return fired.find('drop-after-commit') === undefined ? reply : DROP;
  }

  private replacement(fired: FiredFaults): { reply: Reply; afterCommit: boolean } | undefined {
    const { simulator } = this.parts;
    const status = fired.find('status')?.action;
    if (status !== undefined) {
      const body = status.body ?? simulator.errorBody(status.status, this.head.path);
      const reply = { status: status.status, body, headers: status.headers ?? {} };
      return { reply, afterCommit: status.afterCommit ?? false };
    }
    const page = fired.find('html')?.action ?? fired.find('html-as-json')?.action;
    if (page !== undefined) {
      const contentType = page.kind === 'html' ? 'text/html; charset=utf-8' : 'application/json';
      return {
        reply: { status: page.status ?? 200, body: LOGIN_PAGE, contentType },
        afterCommit: page.afterCommit ?? false,
      };
    }
    const later = fired.find('retry-after')?.action;
    if (later === undefined) return undefined;
    const date =
      later.dateInSeconds === undefined ? undefined : new Date(Date.now() + later.dateInSeconds * 1000).toUTCString();
    const value = later.value ?? date;
    const limited = later.status ?? 429;
    const headers: Record<string, string> = value === undefined ? {} : { 'Retry-After': value };
    return {
      reply: { status: limited, body: simulator.errorBody(limited, this.head.path), headers },
      afterCommit: false,
    };
  }

  private async transmit(reply: Reply, fired: FiredFaults): Promise<void> {
    const { response } = this;
    const dripping = fired.find('drip')?.action;
    const cut = fired.find('truncate')?.action;
    const large = fired.find('huge')?.action;
    const bomb = fired.find('gzip-bomb')?.action;
    if (reply.status === 0) drop(response);
    else if (dripping !== undefined)
      await drip(response, reply, { intervalMs: dripping.intervalMs ?? 300, bytes: dripping.bytes ?? 1 });
    else if (cut !== undefined) await truncate(response, reply, cut.bytes);
    else if (large !== undefined)
      await huge(response, reply, { bytes: large.bytes ?? GIBIBYTE, announced: large.announced ?? false });
    else if (bomb !== undefined) gzipBomb(response, reply, bomb.bytes ?? GIBIBYTE);
    else send(response, reply);
  }
}

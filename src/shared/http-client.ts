import { Axios } from 'axios';
import type { Dispatcher } from 'undici';
import { systemResolve, type Resolve } from './http/address-guard';
import { ConnectionPools } from './http/connection-pools';
import { Exchange } from './http/exchange';
import { CallProblem } from './http/failure';
import { checkRequest } from './http/request-check';
import type { Answer, CallFailure, CallLogger, OutgoingRequest } from './http/types';

export { checkBaseUrl } from './http/base-url';
export { readJson } from './http/read-json';
export { retryAfterMs } from './http/retry-after';
export type * from './http/types';

const DEFAULT_MAX_RESPONSE_BYTES = 5 * 1024 * 1024;
const DEFAULT_CONNECT_TIMEOUT_MS = 5_000;
const DEFAULT_CONNECTIONS_PER_ORIGIN = 64;

/** Names and values in turn. Nobody who calls may give these. */
const OUR_HEADERS = ['user-agent', 'open-banking-gateway', 'accept-encoding', 'identity'];

export interface HttpClientOptions {
  /** Permits http and private, loopback and other non-public addresses. */
  allowPrivateAddresses: boolean;
  /** Milliseconds for name resolution, TCP and TLS of one connection; default 5000. The call's own deadline may end it sooner. */
  connectTimeoutMs?: number;
  /** Calls to one origin under one TLS identity that are on the wire at once, default 64; further ones wait within their deadline. */
  connectionsPerOrigin?: number;
  /** The system's resolver unless given. */
  resolve?: Resolve;
  logger?: CallLogger;
}

/**
 * The only way out of the gateway. Answers of any status, redirects too, come back as they are; everything else comes back as a failure
 * that says whether the other side may have seen the request. There is no retry in here: who calls knows what a repeat means.
 */
export class HttpClient {
  private readonly pools: ConnectionPools;
  // Without axios' own defaults: they would parse JSON with rounding and refuse by status.
  private readonly axios = new Axios();
  private closed = false;

  constructor(private readonly options: HttpClientOptions) {
    this.pools = new ConnectionPools({
      allowPrivateAddresses: options.allowPrivateAddresses,
      resolve: options.resolve ?? systemResolve,
      connectTimeoutMs: options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
      connectionsPerOrigin: options.connectionsPerOrigin ?? DEFAULT_CONNECTIONS_PER_ORIGIN,
    });
  }

  /** Never throws for what the other side, the network or the request's content does. */
  async send(request: OutgoingRequest): Promise<Answer | CallFailure> {
    const startedAtMs = performance.now();
    const exchange = new Exchange(request.deadlineMs, request.maxResponseBytes ?? DEFAULT_MAX_RESPONSE_BYTES);
    const url = URL.parse(request.url);
    let result: Answer | CallFailure;
    try {
      const body = await this.perform(request, url, exchange);
      result = toAnswer(exchange, body, elapsedMs(startedAtMs));
    } catch (error) {
      if (!(error instanceof CallProblem)) throw error;
      result = toFailure(exchange, error, { url, latencyMs: elapsedMs(startedAtMs) });
    }
    this.log(request, url, result);
    return result;
  }

  /** Cuts all connections. Whoever has calls in flight waits for them first. */
  async close(): Promise<void> {
    this.closed = true;
    await this.pools.close();
  }

  private async perform(request: OutgoingRequest, parsed: URL | null, exchange: Exchange): Promise<string> {
    if (this.closed) throw new CallProblem('connection-lost', 'the client is closed');
    const url = checkRequest(request, parsed, this.options.allowPrivateAddresses);
    const pool = this.pools.poolFor(url, request.tls);
    const response = await this.axios.request<string>({
      method: request.method,
      url: request.url,
      data: request.body,
      // Our adapter in place of axios' own: no redirects, no proxy environment, and the exchange's limits. The headers go past axios:
      // it would write them in its own way, label bodies, and take two thirds of its time for that.
      adapter: async (config) => ({
        data: await exchange.perform(pool, toDispatch(request, url)),
        status: exchange.status ?? 0,
        statusText: '',
        headers: {},
        config,
      }),
    });
    return response.data;
  }

  private log({ method }: OutgoingRequest, url: URL | null, result: Answer | CallFailure): void {
    this.options.logger?.debug({
      method,
      origin: url?.origin ?? '',
      ...(result.status !== undefined && { status: result.status }),
      ...(result.kind === 'failure' && { cause: result.cause }),
      latencyMs: result.latencyMs,
    });
  }
}

function toDispatch({ method, headers, body }: OutgoingRequest, url: URL): Dispatcher.DispatchOptions {
  const written = [...OUR_HEADERS];
  for (const name of Object.keys(headers)) written.push(name, headers[name] ?? '');
  return { method, path: url.pathname + url.search, headers: written, ...(body !== undefined && { body }) };
}

function toAnswer({ status, headers }: Exchange, body: string, latencyMs: number): Answer {
  return { kind: 'answer', status: status ?? 0, headers, contentType: headers['content-type'] ?? '', body, latencyMs };
}

function toFailure(
  exchange: Exchange,
  problem: CallProblem,
  { url, latencyMs }: { url: URL | null; latencyMs: number },
): CallFailure {
  const retryAfter = exchange.headers['retry-after'];
  return {
    kind: 'failure',
    cause: problem.failure,
    bytesMayHaveLeft: exchange.started,
    ...(exchange.status !== undefined && { status: exchange.status }),
    ...(retryAfter !== undefined && { retryAfter }),
    detail: url === null ? problem.message : `${url.origin}: ${problem.message}`,
    latencyMs,
  };
}

function elapsedMs(sinceMs: number): number {
  return Math.round(performance.now() - sinceMs);
}

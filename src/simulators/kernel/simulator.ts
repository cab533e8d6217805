import type { IncomingHttpHeaders } from 'node:http';
import type { FiredFaults } from './fault-engine';
import type { Fields } from './fields';
import type { Reply } from './wire';

/** The simulators' own time: the machine's, moved by what the control interface was told. */
export class SimulatedClock {
  offsetMs = 0;
  now(): number {
    return Date.now() + this.offsetMs;
  }
}

export interface Route {
  /** the path as the access log keeps it, `{account}` in place of an account's number */
  readonly label: string;
  /** where the path names one, else empty */
  readonly account: string;
}

export interface SimulatedRequest {
  /** position in the access log */
  readonly no: number;
  readonly method: string;
  readonly path: string;
  readonly route: Route;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A request that was read but not yet worked on: only `answer` changes anything. */
export interface Call {
  readonly accounts: readonly string[];
  readonly communicationNumbers: readonly string[];
  readonly operationExtIds: readonly string[];
  readonly requestId: string;
  /** how many items a batch has, 0 where there is no list */
  readonly items: number;
  answer(faults: FiredFaults): Reply;
}

export interface ControlRequest {
  readonly query: URLSearchParams;
  readonly body: unknown;
}
export type ControlHandler = (request: ControlRequest) => unknown;

/** One bank API or AMLYZE, without the HTTP around it. */
export interface Simulator {
  readonly name: string;
  route(path: string): Route;
  /** Never throws for what is in the request. */
  open(request: SimulatedRequest): Call;
  /** The error that this system answers for a status when a fault rule gives no body. */
  errorBody(status: number, path: string): string;
  /** its own control calls, by `METHOD /_sim/…` */
  readonly control: Readonly<Record<string, ControlHandler>>;
  /** Takes over the settings that are given, and answers all of them. */
  settings(given: Fields): Record<string, unknown>;
  stats(): Record<string, unknown>;
  reset(): void;
}

/** A request whose answer is known before any work. */
export function settled(
  requestId: string,
  answer: (faults: FiredFaults) => Reply,
  accounts: readonly string[] = [],
): Call {
  return { accounts, communicationNumbers: [], operationExtIds: [], requestId, items: 0, answer };
}

export function headerText(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** The token of `Authorization: Bearer <token>`. */
export function bearerToken(headers: IncomingHttpHeaders): string | undefined {
  const value = headers.authorization;
  return value !== undefined && /^bearer /i.test(value) ? value.slice(7).trim() : undefined;
}

export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text);
}

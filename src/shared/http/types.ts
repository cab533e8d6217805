/** PEM texts of one connection's TLS identity. `ca` replaces the system's certificate authorities for that connection. */
export interface ClientTls {
  certificate?: string;
  key?: string;
  passphrase?: string;
  ca?: string;
}

/** One outgoing call. */
export interface OutgoingRequest {
  method: 'GET' | 'POST' | 'PUT';
  /** Absolute http(s) URL without credentials. */
  url: string;
  headers: Record<string, string>;
  /** Sent as UTF-8, 10 MiB at most. */
  body?: string;
  /** Milliseconds for everything: name resolution, connection, TLS, answer and body. */
  deadlineMs: number;
  /** Limit in bytes on the body, as transferred and as decompressed. Default 5 MiB. */
  maxResponseBytes?: number;
  tls?: ClientTls;
}

/** A complete HTTP answer of whatever status, redirects included: nothing is followed. */
export interface Answer {
  kind: 'answer';
  status: number;
  /** Names in lower case; values of a repeated header are joined with a comma. */
  headers: Record<string, string>;
  /** The Content-Type header as sent, '' where there is none. */
  contentType: string;
  body: string;
  latencyMs: number;
}

export type FailureCause =
  | 'refused'
  | 'dns'
  | 'tls'
  | 'address-not-allowed'
  | 'connect-timeout'
  | 'deadline'
  | 'connection-lost'
  | 'response-too-large'
  | 'response-truncated'
  | 'response-undecodable'
  | 'request-too-large'
  | 'invalid-request'
  /** What is to be sent lies sealed and does not open; who calls finds this out before there is a request. */
  | 'sealed-request';

/** A call that brought no complete answer. */
export interface CallFailure {
  kind: 'failure';
  cause: FailureCause;
  /** Request bytes may have reached the other side; false only where that is certain. */
  bytesMayHaveLeft: boolean;
  /** The HTTP status, where the answer got that far. */
  status?: number;
  /** The Retry-After header as it came, where the answer got that far; see retryAfterMs. */
  retryAfter?: string;
  /** For people: what went wrong with which origin. Never a path, a query, a header value or a body. */
  detail: string;
  latencyMs: number;
}

/** What a call may say in a log: an allow-list, so that no secret can slip in. */
export interface CallEvent {
  method: OutgoingRequest['method'];
  origin: string;
  status?: number;
  cause?: FailureCause;
  latencyMs: number;
}

export interface CallLogger {
  debug(event: CallEvent): void;
}

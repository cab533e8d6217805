import { CallProblem } from './failure';
import type { OutgoingRequest } from './types';

const MAX_REQUEST_BYTES = 10 * 1024 * 1024;
const MAX_REQUEST_HEADER_BYTES = 32 * 1024;
const MAX_DEADLINE_MS = 10 * 60 * 1000;
/** So that a body, and its decompressed copy, stay small beside the process whatever a caller asks for. */
const MAX_RESPONSE_LIMIT_BYTES = 64 * 1024 * 1024;

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// Field content of RFC 9110 5.5: no control characters but the tab, nothing beyond one byte.
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
// Framing and routing belong to the connection, and a Host header would also decide whose certificate is accepted; the last two are
// the same in every call.
export const CLIENT_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'proxy-authorization',
  'proxy-connection',
  'user-agent',
  'accept-encoding',
]);

/** Throws a CallProblem for a request that must not be sent; gives its URL otherwise. */
export function checkRequest(request: OutgoingRequest, url: URL | null, allowPlainHttp: boolean): URL {
  if (url === null) throw invalid('the URL cannot be read');
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowPlainHttp)) throw invalid('the URL is not https');
  if (url.username !== '' || url.password !== '') throw invalid('the URL has credentials in it');
  if (!isCount(request.deadlineMs, MAX_DEADLINE_MS)) throw invalid(`the deadline is not 1 to ${MAX_DEADLINE_MS} ms`);
  if (request.maxResponseBytes !== undefined && !isCount(request.maxResponseBytes, MAX_RESPONSE_LIMIT_BYTES)) {
    throw invalid(`the response limit is not 1 to ${MAX_RESPONSE_LIMIT_BYTES} bytes`);
  }
  checkHeaders(request.headers);
  checkBody(request);
  return url;
}

function checkHeaders(headers: Record<string, string>): void {
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    bytes += name.length + value.length;
    if (!HEADER_NAME.test(name)) throw invalid('a header name has characters that HTTP forbids');
    if (CLIENT_HEADERS.has(name.toLowerCase())) throw invalid(`the header ${name} is the client's own`);
    if (!HEADER_VALUE.test(value)) throw invalid(`the header ${name} has characters that HTTP forbids`);
  }
  if (bytes > MAX_REQUEST_HEADER_BYTES) {
    throw new CallProblem('request-too-large', `the headers exceed ${MAX_REQUEST_HEADER_BYTES} bytes`);
  }
}

function checkBody({ method, body, headers }: OutgoingRequest): void {
  if (body === undefined) return;
  if (method === 'GET') throw invalid('a GET has no body');
  // Nobody else would label it.
  if (!Object.keys(headers).some((name) => name.toLowerCase() === 'content-type'))
    throw invalid('a body needs a Content-Type');
  // A UTF-16 unit takes three bytes at most, so that small bodies need no count.
  if (body.length * 3 > MAX_REQUEST_BYTES && Buffer.byteLength(body) > MAX_REQUEST_BYTES) {
    throw new CallProblem('request-too-large', `the body exceeds ${MAX_REQUEST_BYTES} bytes`);
  }
}

function isCount(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= max;
}

function invalid(message: string): CallProblem {
  return new CallProblem('invalid-request', message);
}
